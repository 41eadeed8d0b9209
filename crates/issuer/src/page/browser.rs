//! A browser's name from what it says of itself: good enough to recognise one's own, and nothing is decided by it.

/// `Firefox on Linux`; `Unknown browser` when it says nothing that is understood.
pub(crate) fn browser(user_agent: Option<&str>) -> String {
    let said = user_agent.unwrap_or_default();
    let find = |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| said.contains(mark)).map(|(_, name)| *name);
    // Chrome calls itself Safari, and Edge and Opera call themselves both: the most particular mark first.
    let program =
        find(&[("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("Unknown browser on {system}"),
        (None, None) => "Unknown browser".to_owned(),
    }
}
