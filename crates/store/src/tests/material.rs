//! Named bytes: the first to write them wins.

use durward_base::SecretBytes;

use super::bench::Bench;
use super::on_both;

on_both! {
    the_first_to_keep_a_name_wins,
}

async fn the_first_to_keep_a_name_wins(bench: Bench) {
    assert_eq!(bench.store.material("root").await.unwrap(), None);
    let tries = (0..8_u8).map(|number| {
        let store = bench.store.clone();
        tokio::spawn(async move { (number, store.put_material_if_absent("root", &SecretBytes::new([number])).await.unwrap()) })
    });
    let mut winners = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        let (number, won) = attempt.await.unwrap();
        winners.extend(won.then_some(number));
    }
    let kept = bench.store.material("root").await.unwrap().unwrap();
    assert_eq!(kept.expose(), winners);
    assert_eq!(winners.len(), 1);
}
