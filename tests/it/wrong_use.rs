//! Wrong use ends with exit code 1 and one line that says what to do, or with 2 when the command line itself is wrong.

use crate::support::desktop::{Desktop, SIZE, Server, free_port};
use crate::support::process::{Process, treevnc};
use crate::support::tools::{Scratch, have};
use crate::support::wait::PATIENCE;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

/// Runs it to its end, which must be failure 1 with one line; returns the line.
fn complaint(command: &mut Command) -> String {
    let mut process = Process::start(command);
    let status = process.end(PATIENCE);
    assert_eq!(status.code(), Some(1), "{command:?}\n{}", process.said());
    let lines = process.err().all();
    assert_eq!(lines.len(), 1, "one line\n{}", process.said());
    lines[0].clone()
}

fn must_say(line: &str, words: &[&str]) {
    let lower = line.to_lowercase();
    assert!(words.iter().all(|word| lower.contains(&word.to_lowercase())), "'{line}' says {words:?}");
}

#[test]
fn an_unknown_host_is_named() {
    for args in [
        &["join", "nowhere.invalid", "--headless"][..],
        &["status", "nowhere.invalid"],
        &["snapshot", "nowhere.invalid", "/dev/null"],
    ] {
        must_say(&complaint(&mut treevnc(args)), &["nowhere.invalid"]);
    }
}

#[test]
fn a_root_waits_for_a_presenter_that_is_not_there_yet_and_says_so_once() {
    let nobody = format!("127.0.0.1::{}", free_port());
    for presenter in ["nowhere.invalid", &nobody] {
        let mut root = Process::start(&mut treevnc(["root", "--vnc", presenter, "--listen", "127.0.0.1:0"]));
        root.err().wait(PATIENCE, |line| line.contains("WARN") && line.contains(presenter)).expect("a line that names it");
        assert_eq!(root.err().count(|line| line.contains(presenter)), 1, "{}", root.said());
        assert!(root.is_running());
    }
}

#[test]
fn a_refused_connection_is_named_with_its_address() {
    let address = format!("127.0.0.1:{}", free_port());
    let scratch = Scratch::new();
    let file = scratch.file("never.png");
    for args in [&["join", &address, "--headless"][..], &["status", &address], &["snapshot", &address, file.to_str().unwrap()]] {
        must_say(&complaint(&mut treevnc(args)), &[&address]);
    }
    assert!(!file.exists());
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = taken.local_addr().unwrap().port().to_string();
    must_say(&complaint(&mut treevnc(["root", "--vnc", "127.0.0.1::1", "--listen", &address])), &[&port, "--listen"]);
    must_say(&complaint(&mut treevnc(["demo", "--seconds", "1", "--listen", &address])), &[&port, "--listen"]);
}

#[test]
fn a_missing_or_wrong_password_is_told_apart_and_the_way_to_give_it_named() {
    if !have(Desktop::programs(Server::Xvnc)) || !have(&["sh", "vncpasswd"]) {
        return;
    }
    let scratch = Scratch::new();
    let stored = scratch.file("stored");
    let make = format!("printf 'tree1234\\n' | vncpasswd -f > {}", stored.display());
    assert!(Command::new("sh").args(["-c", &make]).status().unwrap().success());
    let desktop =
        Desktop::with_options(Server::Xvnc, SIZE, &["-SecurityTypes", "VncAuth", "-PasswordFile", stored.to_str().unwrap()]);
    let root = || treevnc(["root", "--vnc", &desktop.address(), "--listen", "127.0.0.1:0"]);

    must_say(&complaint(&mut root()), &["password", "--password-file", "VNC_PASSWORD"]);
    must_say(&complaint(root().env("VNC_PASSWORD", "guess")), &["did not accept the password", "--password-file"]);
    let (missing, right) = (scratch.file("missing"), scratch.write("right", "tree1234\n"));
    must_say(&complaint(root().arg("--password-file").arg(&missing)), &[missing.to_str().unwrap()]);

    let by_file = Process::start(root().arg("--password-file").arg(&right));
    by_file.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
    let by_name = Process::start(root().env("VNC_PASSWORD", "tree1234"));
    by_name.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let wrong: [&[&str]; 6] = [
        &[],
        &["watch"],
        &["join", "--headless", "--fullscreen"],
        &["root", "--listen", "seventy"],
        &["snapshot", "127.0.0.1:5950"],
        &["demo", "--nodes", "0"],
    ];
    for args in wrong {
        let mut process = Process::start(&mut treevnc(args));
        assert_eq!(process.end(PATIENCE).code(), Some(2), "{args:?}\n{}", process.said());
    }
}
