//! What `/readyz` asks: whether requests may be sent here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_base::{Clock, Duration};
use durward_enforce::View;
use durward_net::Shutdown;
use durward_node::Shared;

use crate::http::Probe;

/// How old the view may get before the process is no longer ready.
const STALE: Duration = Duration::from_secs(10);

/// One probe for each thing that readiness depends on. `declared` says whether the resources that the settings name are in force.
pub(super) fn probes(shared: &Shared<View>, clock: &Clock, declared: &Arc<AtomicBool>, shutdown: &Shutdown) -> Vec<Probe> {
    let (journal, heard, declared, shutdown) = (shared.journal().clone(), shared.clone(), Arc::clone(declared), shutdown.clone());
    let (now, right) = (clock.clone(), clock.clone());
    let store = Box::new(move || {
        let age = heard.age(now.now());
        if age < STALE { Ok(()) } else { Err(format!("the store was last heard of {} s ago", age.as_secs())) }
    });
    let written = Box::new(move || if journal.status().available { Ok(()) } else { Err("the journal cannot be written".to_owned()) });
    let right = Box::new(move || right.jump().map_or(Ok(()), |jump| Err(jump.to_string())));
    let applied = Box::new(move || match declared.load(Ordering::Acquire) {
        true => Ok(()),
        false => Err("the resources that its configuration names are being applied".to_owned()),
    });
    let stays = Box::new(move || if shutdown.is_cancelled() { Err("it is shutting down".to_owned()) } else { Ok(()) });
    vec![
        Probe { name: "store", check: store },
        Probe { name: "journal", check: written },
        Probe { name: "clock", check: right },
        Probe { name: "resources", check: applied },
        Probe { name: "accepting", check: stays },
    ]
}
