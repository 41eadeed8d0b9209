//! The `durward` binary.

use libmimalloc_sys::{mi_option_set, mi_option_t};

// Without huge pages (`no_thp`), of which most would stay empty.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc.h: `mi_option_purge_delay`, in milliseconds.
const PURGE_DELAY: mi_option_t = 15;

fn main() -> std::process::ExitCode {
    give_back_soon();
    durward_app::cli::main()
}

/// Has the allocator give free memory back after 10 ms. By its default, a second, an idle server keeps most of what its start took.
#[allow(unsafe_code, reason = "the allocator is C, and its options are its own")]
fn give_back_soon() {
    // SAFETY: the option exists, takes any number, and there is no other thread yet that could read it.
    unsafe { mi_option_set(PURGE_DELAY, 10) }
}
