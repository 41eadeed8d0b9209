//! The `durward` binary.

// Without huge pages (`no_thp`), of which most would stay empty.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    durward_app::cli::main()
}
