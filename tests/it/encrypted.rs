//! VNC servers that encrypt, or ask for more than a password: TigerVNC's X509 kinds, a certificate that changes, and Apple's type 30.

use crate::judges::gtk_vnc::{self, GtkVnc};
use crate::judges::libvncclient::LibVnc;
use crate::judges::{Judge, must_show};
use crate::support::desktop::{Desktop, Screen, Server, free_port};
use crate::support::namespaces::Hosts;
use crate::support::painter::Painter;
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Scratch, have, is_root, run, skip, unique};
use crate::support::wait::PATIENCE;
use std::net::{Ipv4Addr, SocketAddr};
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

    /// A certificate as people without an authority often make it: of version 1, with openssl before 3.2.
    fn make_old_certificate(&self) {
        let (key, asked, certificate) = (self.path("key"), self.path("asked"), self.path("certificate"));
        let words = "req -new -newkey rsa:2048 -nodes -subj /CN=lecture -keyout";
        run("openssl", &[&words.split(' ').collect::<Vec<_>>()[..], &[&key, "-out", &asked]].concat());
        run("openssl", &["x509", "-req", "-in", &asked, "-signkey", &key, "-days", "2", "-out", &certificate]);
    }

    /// A screen behind these security types.
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
fn an_old_certificate_is_as_good_as_any_to_be_remembered() {
    let Some(locks) = Locks::new().filter(|_| have(&["xterm"])) else { return };
    locks.make_old_certificate();
    let desktop = locks.desktop("X509None", &[]);
    for _ in 0..2 {
        must_be_let_in(&desktop, &mut locks.root(&desktop.address(), None, None));
        assert_eq!(locks.remembered(), [format!("{} {}", desktop.address(), locks.fingerprint())]);
    }
}

#[test]
fn x11vnc_which_has_a_vencrypt_of_its_own_lets_us_in() {
    let Some(locks) = Locks::new().filter(|_| have(Desktop::programs(Server::X11vnc))) else { return };
    // It wants an RSA key.
    locks.make_old_certificate();
    let screen = Screen::new(SIZE);
    let _painter = Painter::new(screen.display(), (50, 50), (100, 100));
    let both = ["key", "certificate"].map(|name| std::fs::read(locks.path(name)).unwrap()).concat();
    let (pem, secret) = (locks.scratch.write("pem", both), locks.scratch.write("secret", PASSWORD));
    let port = free_port().to_string();
    let fixed = ["-localhost", "-forever", "-shared", "-nocursor", "-norc", "-noipv6", "-no6", "-vencrypt", "nodh:support"];
    let (pem, secret) = (pem.to_str().unwrap(), secret.to_str().unwrap());
    let words = ["-display", screen.display(), "-rfbport", &port, "-ssl", pem, "-passwdfile", secret];
    let server = Process::run("x11vnc", &[&fixed[..], &words].concat());
    server.line("its port", PATIENCE, |line| line.contains("PORT="));
    let vnc = format!("127.0.0.1::{port}");
    // It may close before it has said so, and is then dialled again.
    let mut refused = Process::start(&mut locks.root(&vnc, None, Some("guess")));
    assert_eq!(refused.end(PATIENCE).code(), Some(1), "{}", refused.said());
    must_say(refused.err().all().last().unwrap(), &["did not accept the password"]);
    let member = Member::started(Process::start(&mut locks.root(&vnc, None, Some(PASSWORD))), "lecture");
    member.must_show(&screen.picture(), &locks.scratch);
    assert_eq!(locks.remembered(), [format!("{vnc} {}", locks.fingerprint())]);
}

#[test]
fn a_server_that_encrypts_is_shared_from_a_node_which_alone_knows_the_password() {
    let Some(locks) = Locks::new().filter(|_| have(&["xterm"])) else { return };
    let lecturer = Desktop::with_options(Server::Xvnc, SIZE, &[]);
    let session = Session::new(&lecturer.address(), 1);
    let desktop = locks.desktop("X509Vnc", &[]);
    let (root, vnc) = (session.root.address.to_string(), desktop.address());
    let mut share = treevnc(["share", &root, "--vnc", &vnc, "--name", "ada", "--listen", "127.0.0.1:0"]);
    let share = Process::start(share.env("TREEVNC_KNOWN_SERVERS", locks.known()).env("VNC_PASSWORD", PASSWORD));
    share.line("that it is live", PATIENCE, |line| line.starts_with("live:"));
    let _window = desktop.run("xterm", &["-geometry", "40x10+50+50", "-e", "sleep", "1000"]);
    session.must_show(&desktop.quiet_picture(), &desktop.scratch);
    assert!(locks.remembered()[0].ends_with(&locks.fingerprint()));
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

/// The picture of `tests/judges/apple_server.py`.
fn apple_picture() -> Picture {
    let pixel = |x: u32, y: u32| ((x * 4 % 256) << 16) | ((y * 5 % 256) << 8) | ((x ^ y) * 3 % 256);
    let pixels: Vec<_> = (0..48).flat_map(|y| (0..64).map(move |x| pixel(x, y))).collect();
    Picture::from_pixels(64, 48, &pixels)
}

#[test]
fn apples_exchange_lets_in_whom_it_lets_in_for_other_viewers() {
    if !have(&["python3", "openssl", "setpriv"]) {
        return;
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/apple_server.py");
    let server = Process::run("python3", &[program.to_str().unwrap(), USER, PASSWORD]).killed_at_once();
    let port = server.line("its port", PATIENCE, |line| line.starts_with("port ")).replace("port ", "").parse().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // The server is right: others are let in by it.
    let mut judges: Vec<Box<dyn Judge>> = Vec::new();
    if have(&["cc", "pkg-config"]) {
        judges.push(Box::new(LibVnc::attach_as(address, USER, PASSWORD)));
    }
    if gtk_vnc::is_installed() {
        judges.push(Box::new(GtkVnc::attach_as(address, (640, 480), USER, PASSWORD)));
    }
    judges.iter_mut().for_each(|judge| must_show(judge.as_mut(), &apple_picture()));

    let scratch = Scratch::new();
    let vnc = format!("127.0.0.1::{port}");
    let root = |user: &[&str], password: Option<&str>| {
        let mut root = treevnc(["root", "--vnc", &vnc, "--listen", "127.0.0.1:0"]);
        root.args(user);
        password.map(|password| root.env("VNC_PASSWORD", password));
        root
    };
    must_say(&complaint(&mut root(&[], Some(PASSWORD))), &["asks for a user name and a password", "--user"]);
    must_say(&complaint(&mut root(&["--user", USER], None)), &["asks for a password", "--password-file"]);
    let wrong = "did not accept the user name or the password: no such user with this password";
    must_say(&complaint(&mut root(&["--user", USER], Some("guess"))), &[wrong, "--user"]);
    must_say(&complaint(&mut root(&["--user", USER], Some(&"x".repeat(64)))), &["more than 63 bytes"]);
    let member = Member::started(Process::start(&mut root(&["--user", USER], Some(PASSWORD))), "lecture");
    member.must_show(&apple_picture(), &scratch);
}

/// A root on one host, and a VNC server on another that the cable between them could be listened to.
#[test]
fn over_a_network_encryption_is_preferred_and_once_known_insisted_on() {
    let Some(locks) = Locks::new().filter(|_| have(&["ip", "xterm"])) else { return };
    if !is_root() {
        return skip("network namespaces need the superuser");
    }
    let hosts = Hosts::new(2);
    let presenter = |types: &str| {
        let display = format!(":{}", 1000 + free_port() % 50_000);
        let (key, certificate, stored) = (locks.path("key"), locks.path("certificate"), locks.path("stored"));
        let mut xvnc = Command::new("Xvnc");
        xvnc.args([&display, "-geometry", "640x480", "-depth", "24", "-rfbport", "5900", "-SecurityTypes", types]);
        xvnc.args(["-X509Key", &key, "-X509Cert", &certificate, "-PasswordFile", &stored, "-Log", "*:stderr:30"]);
        let process = hosts.start(0, &xvnc);
        process.err().wait(PATIENCE, |line| line.contains("Listening for VNC connections")).expect("Xvnc listens");
        process
    };
    let vnc = format!("{}:0", Hosts::address(0));
    let root = || hosts.start(1, &locks.root(&vnc, None, Some(PASSWORD)));
    let must_come_in = |server: &Process| {
        let root = root();
        root.line("where it listens", PATIENCE, |line| line.starts_with("listening on "));
        server.err().wait(PATIENCE, |line| line.contains("Client pixel format")).expect("the root comes in");
    };
    // TigerVNC's default cannot be encrypted by us: the server is dialled once more.
    let server = presenter("TLSVnc,VncAuth");
    must_come_in(&server);
    assert_eq!(server.err().count(|line| line.contains("accepted:")), 2, "{}", server.said());
    assert_eq!(locks.remembered(), [] as [&str; 0]);
    drop(server);
    let server = presenter("VncAuth,X509Vnc");
    must_come_in(&server);
    assert_eq!(locks.remembered(), [format!("{}::5900 {}", Hosts::address(0), locks.fingerprint())]);
    drop(server);
    for types in ["VncAuth", "TLSVnc,VncAuth"] {
        let _server = presenter(types);
        let mut refused = root();
        assert_eq!(refused.end(PATIENCE).code(), Some(1));
        let said = refused.err().all().join("\n");
        must_say(&said, &["was encrypted before and is no more", "line 1", locks.known().to_str().unwrap()]);
    }
}
