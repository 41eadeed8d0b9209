//! The `durward` binary.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // The allocator asks for huge pages, of which most would stay empty: a fresh server is 35 MiB smaller without. Where the kernel knows none,
    // there is nothing to turn off.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    durward_app::cli::main()
}
