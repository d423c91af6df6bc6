//! `treevnc`: one screen on a hundred laptops. Turns the command line into calls of the libraries and their errors into exit codes:
//! 0 done, 1 failed, 2 wrong use.

// Here, and only here, text for people is printed.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod command;
mod demo;

use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

fn main() -> ExitCode {
    let cli = cli::Cli::of_process();
    start_logging(&cli);
    match command::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("treevnc: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start_logging(cli: &cli::Cli) {
    let level = match cli.verbose {
        // The demo's own lines are the story there.
        0 if matches!(cli.command, cli::Command::Demo(_)) => LevelFilter::WARN,
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    format.with_ansi(std::io::stderr().is_terminal()).compact().init();
}
