//! Moments in words, in UTC: the server does not know where the reader is.

use durward_base::Timestamp;

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// `22 November 2026, 20:15 UTC`.
pub(crate) fn date(moment: Timestamp) -> String {
    let text = moment.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
    format!("{} {month} {}, {} UTC", part(8, 10).trim_start_matches('0'), part(0, 4), part(11, 16))
}

/// `just now`, `12 minutes ago`, `an hour ago`, and the date after a day.
pub(crate) fn ago(moment: Timestamp, now: Timestamp) -> String {
    match now.since(moment).as_secs() / 60 {
        0 => "just now".to_owned(),
        1 => "a minute ago".to_owned(),
        minutes @ 2..60 => format!("{minutes} minutes ago"),
        60..120 => "an hour ago".to_owned(),
        minutes @ 120..1440 => format!("{} hours ago", minutes / 60),
        _ => date(moment),
    }
}
