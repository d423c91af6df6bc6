//! VNC servers that encrypt, or ask for more than a password: TigerVNC's X509 kinds, a certificate that changes, and Apple's type 30.

use crate::support::desktop::{Desktop, Server};
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::tools::{Scratch, have, is_root, run, skip, unique};
use crate::support::wait::PATIENCE;
use std::path::{Path, PathBuf};
use std::process::Command;

const SIZE: (u16, u16) = (640, 480);
const PASSWORD: &str = "tree1234";
/// Accepted with the same password by [`Accounts`].
const USER: &str = "ann";

/// What a server that encrypts and asks for passwords needs, in files.
struct Locks {
    scratch: Scratch,
}

impl Locks {
    /// `None` where the tools are missing.
    fn new() -> Option<Self> {
        if !have(Desktop::programs(Server::Xvnc)) || !have(&["sh", "vncpasswd", "openssl"]) {
            return None;
        }
        let locks = Self { scratch: Scratch::new() };
        let make = format!("printf '{PASSWORD}\\n' | vncpasswd -f > {}", locks.path("stored"));
        assert!(Command::new("sh").args(["-c", &make]).status().unwrap().success());
        locks.make_certificate();
        Some(locks)
    }

    fn path(&self, name: &str) -> String {
        self.scratch.file(name).to_str().unwrap().to_owned()
    }

    /// A new key and a certificate that it has signed itself.
    fn make_certificate(&self) {
        let (key, certificate) = (self.path("key"), self.path("certificate"));
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lecture -keyout";
        run("openssl", &[&words.split(' ').collect::<Vec<_>>()[..], &[&key, "-out", &certificate]].concat());
    }

    /// A screen behind these security types, at any port or at this one.
    fn desktop(&self, types: &str, more: &[&str]) -> Desktop {
        let (key, certificate, stored) = (self.path("key"), self.path("certificate"), self.path("stored"));
        let fixed = ["-SecurityTypes", types, "-X509Key", &key, "-X509Cert", &certificate, "-PasswordFile", &stored];
        Desktop::with_options(Server::Xvnc, SIZE, &[&fixed, more].concat())
    }

    /// Where certificates are remembered.
    fn known(&self) -> PathBuf {
        self.scratch.file("settings/known_servers")
    }

    /// A root that pulls from there and keeps its known servers here.
    fn root(&self, vnc: &str, user: Option<&str>, password: Option<&str>) -> Command {
        let mut root = treevnc(["root", "--vnc", vnc, "--listen", "127.0.0.1:0", "--name", "lecture"]);
        root.args(user.map(|user| ["--user", user]).iter().flatten()).env("TREEVNC_KNOWN_SERVERS", self.known());
        password.map(|password| root.env("VNC_PASSWORD", password));
        root
    }

    /// What is remembered, line by line.
    fn remembered(&self) -> Vec<String> {
        std::fs::read_to_string(self.known()).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The digest of the certificate, as openssl says it.
    fn fingerprint(&self) -> String {
        let said = run("openssl", &["x509", "-in", &self.path("certificate"), "-noout", "-fingerprint", "-sha256"]);
        format!("SHA256:{}", said.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase())
    }
}

/// A PAM service that knows one user, until dropped.
struct Accounts {
    service: String,
}

impl Accounts {
    /// Needs to be the superuser.
    fn new(scratch: &Scratch) -> Self {
        let (shell, service) = ("#!/bin/sh\n", format!("treevnc-test-{}", unique()));
        let test = format!("{shell}IFS= read -r given || :\ntest \"$PAM_USER\" = {USER} -a \"$given\" = {PASSWORD}\n");
        let check = scratch.write("check", test);
        run("chmod", &["+x", check.to_str().unwrap()]);
        let rules =
            format!("auth required pam_exec.so expose_authtok quiet {}\naccount required pam_permit.so\n", check.display());
        let accounts = Self { service };
        std::fs::write(accounts.file(), rules).unwrap();
        accounts
    }

    fn file(&self) -> PathBuf {
        Path::new("/etc/pam.d").join(&self.service)
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.file());
    }
}

/// Starts a root that must come to show what the desktop shows.
fn must_be_let_in(desktop: &Desktop, root: &mut Command) {
    let member = Member::started(Process::start(root), "lecture");
    let _window = desktop.run("xterm", &["-geometry", "40x10+50+50", "-e", "sleep", "1000"]);
    member.must_show(&desktop.quiet_picture(), &desktop.scratch);
}

/// Starts a root that must end with failure 1 and one line, which is returned.
fn complaint(root: &mut Command) -> String {
    let mut process = Process::start(root);
    let status = process.end(PATIENCE);
    let lines: Vec<_> = process.err().all().into_iter().filter(|line| !line.contains(" INFO ")).collect();
    assert_eq!((status.code(), lines.len()), (Some(1), 1), "{}", process.said());
    lines[0].clone()
}

#[track_caller]
fn must_say(line: &str, words: &[&str]) {
    assert!(words.iter().all(|word| line.contains(word)), "'{line}' says {words:?}");
}

#[test]
fn servers_that_encrypt_are_shown_and_their_certificates_remembered() {
    let Some(locks) = Locks::new().filter(|_| have(&["xterm"])) else { return };
    let open = locks.desktop("X509None", &[]);
    must_be_let_in(&open, &mut locks.root(&open.address(), None, None));
    let line = format!("{} {}", open.address(), locks.fingerprint());
    assert_eq!(locks.remembered(), [line.as_str()]);
    // A second time nothing is written.
    must_be_let_in(&open, &mut locks.root(&open.address(), Some("nobody"), Some("asked")));
    assert_eq!(locks.remembered(), [line]);

    let closed = locks.desktop("X509Vnc", &[]);
    must_say(
        &complaint(&mut locks.root(&closed.address(), None, None)),
        &["asks for a password", "--password-file", "VNC_PASSWORD"],
    );
    must_say(
        &complaint(&mut locks.root(&closed.address(), None, Some("guess"))),
        &["did not accept the password", "--password-file"],
    );
    must_be_let_in(&closed, &mut locks.root(&closed.address(), None, Some(PASSWORD)));
}

#[test]
fn servers_that_ask_for_a_user_inside_tls_let_the_right_one_in() {
    let Some(locks) = Locks::new().filter(|_| have(&["xterm"])) else { return };
    if !is_root() {
        return skip("a PAM service needs the superuser");
    }
    let accounts = Accounts::new(&locks.scratch);
    let desktop = locks.desktop("X509Plain", &["-PAMService", &accounts.service, "-PlainUsers", "*"]);
    let root = |user, password| locks.root(&desktop.address(), user, password);
    must_say(&complaint(&mut root(None, Some(PASSWORD))), &["asks for a user name and a password", "--user", "--password-file"]);
    must_say(&complaint(&mut root(Some(USER), None)), &["asks for a password", "--password-file"]);
    for (user, password) in [(USER, "guess"), ("bob", PASSWORD)] {
        must_say(&complaint(&mut root(Some(user), Some(password))), &["did not accept the user name or the password", "--user"]);
    }
    must_be_let_in(&desktop, &mut root(Some(USER), Some(PASSWORD)));
}

#[test]
fn a_certificate_that_changes_is_refused_until_its_line_is_deleted() {
    let Some(locks) = Locks::new().filter(|_| have(&["xterm"])) else { return };
    let desktop = locks.desktop("X509Vnc", &[]);
    std::fs::create_dir_all(locks.known().parent().unwrap()).unwrap();
    let old = format!("{} SHA256:{}", desktop.address(), "0".repeat(64));
    std::fs::write(locks.known(), format!("# mine\n{old}\n")).unwrap();
    let line = complaint(&mut locks.root(&desktop.address(), None, Some(PASSWORD)));
    must_say(&line, &["certificate", "line 2", locks.known().to_str().unwrap(), &locks.fingerprint()]);
    assert_eq!(locks.remembered().len(), 2);
    std::fs::write(locks.known(), "# mine\n").unwrap();
    must_be_let_in(&desktop, &mut locks.root(&desktop.address(), None, Some(PASSWORD)));
    assert_eq!(locks.remembered()[1], format!("{} {}", desktop.address(), locks.fingerprint()));
}

#[test]
fn a_server_without_a_certificate_is_told_that_it_needs_one() {
    let Some(locks) = Locks::new() else { return };
    let desktop = locks.desktop("TLSNone,TLSVnc", &[]);
    let line = complaint(&mut locks.root(&desktop.address(), None, Some(PASSWORD)));
    must_say(&line, &["VeNCrypt offers only", "TLSVnc", "TLSNone", "needs a certificate"]);
}
