//! `treevnc root --metrics`: what a monitoring system reads while a session goes on, and what a hostile one does to it.

use crate::support::desktop::{Desktop, SIZE, Server};
use crate::support::painter::{Painter, Video, dithered};
use crate::support::process::{Process, treevnc};
use crate::support::session::{Member, Session};
use crate::support::tools::{Turn, have};
use crate::support::wait::{PATIENCE, poll_until};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Where a root gives out its metrics.
fn door(root: &Member) -> SocketAddr {
    let line = root.process.line("where its metrics are", PATIENCE, |line| line.starts_with("metrics at http://"));
    line.trim_start_matches("metrics at http://").trim_end_matches("/metrics").parse().unwrap()
}

/// Says this, and hears everything until the end.
fn ask(door: SocketAddr, words: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(door)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(words.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn get(door: SocketAddr, path: &str) -> std::io::Result<(String, String)> {
    let answer = ask(door, &format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Ok((head.to_owned(), body.to_owned()))
}

/// A page in Prometheus' text format, read strictly: each family has its help and its type in front of all its samples, names and labels are
/// what the format allows, counters end in `_total`, nothing stands there twice, and histograms add up.
struct Page(BTreeMap<String, f64>);

impl Page {
    fn scrape(door: SocketAddr) -> Self {
        let (head, body) = get(door, "/metrics").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
        Self::parse(&body)
    }

    fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends");
        let (mut samples, mut families, mut family) = (BTreeMap::new(), BTreeSet::new(), None);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                let (typed, kind) = lines.next().unwrap().strip_prefix("# TYPE ").unwrap().split_once(' ').unwrap();
                assert!(typed == name && !help.is_empty() && families.insert(name), "{line}");
                assert!(name.starts_with("treevnc_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
                family = Some((name, kind));
                continue;
            }
            let (name, kind) = family.unwrap();
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (base, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(base.strip_prefix(name).is_some_and(|rest| suffixes.contains(&rest)), "{line} in {name}");
            for label in labels.strip_suffix('}').unwrap().split(',').filter(|label| !label.is_empty()) {
                let (key, value) = label.split_once("=\"").unwrap();
                assert!(key.chars().all(|c| c.is_ascii_lowercase()) && value.ends_with('"') && !value.contains('\\'), "{line}");
            }
            let value: f64 = value.parse().unwrap();
            assert!(value.is_finite() && value >= 0.0, "{line}");
            assert!(samples.insert(sample.to_owned(), value).is_none(), "{line} stands there twice");
        }
        let page = Self(samples);
        page.check_histograms();
        page
    }

    fn check_histograms(&self) {
        for (sample, count) in &self.0 {
            let Some((name, labels)) = sample.split_once("_count{") else { continue };
            let labels = labels.trim_end_matches('}');
            let buckets = self.0.iter().filter(|(other, _)| other.starts_with(&format!("{name}_bucket{{{labels},le=")));
            let mut bounds: Vec<(f64, f64)> = buckets
                .map(|(other, number)| (other.rsplit_once("le=\"").unwrap().1.trim_end_matches("\"}").parse().unwrap(), *number))
                .collect();
            bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(bounds.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{bounds:?}");
            assert_eq!(bounds.last(), Some(&(f64::INFINITY, *count)), "{sample}");
        }
    }

    fn of(&self, sample: &str) -> f64 {
        *self.0.get(sample).unwrap_or_else(|| panic!("no {sample} among {:?}", self.0.keys()))
    }

    /// The sum of all samples of a family that have this label.
    fn sum(&self, family: &str, label: &str) -> f64 {
        let begin = format!("{family}{{");
        self.0.iter().filter(|(sample, _)| sample.starts_with(&begin) && sample.contains(label)).map(|(_, value)| value).sum()
    }
}

#[test]
fn a_monitoring_system_reads_during_a_session_what_the_status_says() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let root = Member::root_with(&desktop.address(), "lecture", &["--metrics", "0"]);
    let door = door(&root);
    assert!(door.ip().is_loopback(), "for this machine only unless an address is given: {door}");
    let first = Page::scrape(door);
    assert_eq!((first.sum("treevnc_nodes", "attached"), first.of("treevnc_node_joins_total")), (0.0, 0.0));
    let mut session = Session::below(root, 6);
    let leaf = Member::joining(session.root.address, "leaf", &["--no-relay", "--metrics", "0"]);
    leaf.place();
    let painter = Painter::new(&desktop.display, (0, 0), SIZE);
    let video = Video::play(painter, &dithered(SIZE.0, SIZE.1, 4), 10);
    let page = poll_until("figures of everybody", PATIENCE, || {
        let page = Page::scrape(door);
        (page.of("treevnc_measured_nodes") == 7.0 && page.of("treevnc_delay_checks_total") >= 3.0).then_some(page)
    });
    let mut asking = Process::start(&mut treevnc(["status", &session.root.address.to_string(), "--json"]));
    assert!(asking.end(PATIENCE).success(), "{}", asking.said());
    let status: serde_json::Value = serde_json::from_str(&asking.out().all().join("\n")).unwrap();
    let nodes = status["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 8);
    assert_eq!(page.sum("treevnc_nodes", "state=\"attached\""), 7.0);
    assert_eq!(page.of("treevnc_tree_depth{tree=\"lo\",kind=\"loopback\",ip=\"v4\"}"), 3.0);
    assert_eq!(page.of("treevnc_leaf_only_nodes{reason=\"asked\"}"), 1.0);
    assert_eq!(page.of("treevnc_presenter_connected{presenter=\"root\"}"), 1.0);
    let size = ["treevnc_screen_width_pixels", "treevnc_screen_height_pixels"].map(|name| page.of(name));
    assert_eq!(serde_json::json!([size[0] as u64, size[1] as u64]), status["screen"]);
    for (sample, known) in [("treevnc_delay_checks_total", "sent"), ("treevnc_delay_answers_total", "answers")] {
        let known = status["checks"][known].as_f64().unwrap();
        assert!(page.of(sample) <= known && page.of(sample) + 30.0 >= known, "{sample}: {known} a moment later");
    }
    for depth in [1, 2, 3] {
        let count = page.of(&format!("treevnc_one_way_delay_seconds_count{{depth=\"{depth}\"}}"));
        let sum = page.of(&format!("treevnc_one_way_delay_seconds_sum{{depth=\"{depth}\"}}"));
        assert!(count > 0.0 && sum / count < 5.0, "{sum} in {count}");
    }
    let later = poll_until("the next frames", PATIENCE, || {
        let later = Page::scrape(door);
        (later.of("treevnc_published_frames_total") >= page.of("treevnc_published_frames_total") + 5.0).then_some(later)
    });
    for counter in
        ["treevnc_published_updates_total", "treevnc_published_bytes_total", "treevnc_sent_bytes_total{to=\"children\"}"]
    {
        assert!(later.of(counter) > page.of(counter), "{counter}");
    }
    let published = later.of("treevnc_published_bytes_total");
    let sent = later.of("treevnc_sent_bytes_total{to=\"children\"}");
    assert!(sent > published && sent < 2.5 * published, "two children: {sent} of {published}");
    let own = poll_until("a node's own figures", PATIENCE, || {
        let own = Page::scrape(self::door(&leaf));
        (own.of("treevnc_received_bytes_total") > 100_000.0).then_some(own)
    });
    assert_eq!((own.of("treevnc_attached"), own.of("treevnc_depth")), (1.0, f64::from(leaf.place().1)));
    assert_eq!((own.of("treevnc_children"), own.of("treevnc_sent_bytes_total{to=\"children\"}")), (0.0, 0.0));
    assert_eq!(own.of("treevnc_presenter_connected{presenter=\"root\"}"), 1.0);
    drop(video);
    session.nodes.pop().unwrap().process.kill();
    poll_until("the loss", PATIENCE, || (Page::scrape(door).of("treevnc_node_losses_total") == 1.0).then_some(()));
    // The document has each name, for each program that gives it out, and no others.
    let documented = |column: usize| -> BTreeSet<&str> {
        let rows = include_str!("../../docs/metrics.md").lines().filter(|line| line.starts_with("| `treevnc_"));
        let names = rows.map(|row| row.split('|').collect::<Vec<_>>()).filter(|row| row[column].contains("yes"));
        names.flat_map(|row| row[1].split('`').filter(|name| name.starts_with("treevnc_")).collect::<Vec<_>>()).collect()
    };
    for (address, column) in [(door, 4), (self::door(&leaf), 5)] {
        let (_, body) = get(address, "/metrics").unwrap();
        let given: BTreeSet<_> = body.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        assert_eq!(given, documented(column));
    }
    // Nobody's name is a label.
    let (_, body) = get(door, "/metrics").unwrap();
    assert!(!body.contains("n1") && !body.contains("leaf\"") && !body.contains("lecture"), "{body}");
}

#[test]
fn whoever_asks_slowly_hugely_or_often_keeps_nobody_out_and_disturbs_no_picture() {
    if !have(Desktop::programs(Server::Xvnc)) {
        return;
    }
    let _turn = Turn::half();
    let desktop = Desktop::new(Server::Xvnc);
    let root = Member::root_with(&desktop.address(), "lecture", &["--metrics", "127.0.0.1:0"]);
    let door = door(&root);
    let session = Session::below(root, 2);
    // More than there is room for: they say the beginning of a request and no more.
    let mut slow: Vec<_> = (0..40).map(|_| TcpStream::connect(door).unwrap()).collect();
    slow.iter_mut().for_each(|stream| drop(stream.write_all(b"GET /metrics HTTP/1.1\r\nX-A: ")));
    Page::scrape(door);
    // All of these end, none with a page.
    let endless = format!("GET /metrics HTTP/1.1\r\nX-A: {}", "a".repeat(1 << 20));
    let many: String = (0..5000).map(|n| format!("X-{n}: 1\r\n")).collect();
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "p".repeat(1 << 20));
    for words in
        [&endless, &format!("GET /metrics HTTP/1.1\r\n{many}\r\n"), &long, "\u{0}\u{1}\u{2}\r\n\r\n", "RFB 003.008\n\r\n\r\n"]
    {
        if let Ok(answer) = ask(door, words) {
            assert!(!answer.contains("treevnc_nodes"), "{answer}");
        }
        Page::scrape(door);
    }
    for (words, status) in [
        ("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", "405"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
        ("GET /metrics/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
    ] {
        let answer = ask(door, words).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    // A head has no body, and a second request in the same breath gets no answer.
    let head = ask(door, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n") && !head.contains("treevnc_nodes"), "{head}");
    let twice = ask(door, &"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2)).unwrap();
    assert_eq!(twice.matches("# TYPE treevnc_nodes gauge").count(), 1);
    // One that nobody drives out is closed after a while, though it says something now and then.
    drop(slow);
    let mut last = TcpStream::connect(door).unwrap();
    let begin = Instant::now();
    last.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    last.write_all(b"GET /metrics HTTP/1.1\r\nX-A: ").unwrap();
    poll_until("the slow one to be closed", PATIENCE, || {
        let said = last.write_all(b"a");
        let mut byte = [0];
        let is_closed = said.is_err() || last.read(&mut byte).is_ok_and(|count| count == 0);
        is_closed.then_some(())
    });
    assert!(begin.elapsed() < Duration::from_secs(15));
    session.must_show(&desktop.picture(), &desktop.scratch);
    assert!(session.nodes.iter().all(|node| node.places_said() == 1), "nobody moved");
    Page::scrape(door);
}

#[test]
fn a_port_in_use_is_told_before_anything_is_shown() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut root = Process::start(&mut treevnc(["root", "--vnc", "localhost::1", "--listen", "0", "--metrics", &port]));
    assert_eq!(root.end(PATIENCE).code(), Some(1), "{}", root.said());
    assert_eq!(root.err().count(|line| line.contains(&format!("port {port} is in use")) && line.contains("--metrics")), 1);
    assert_eq!(root.out().all(), Vec::<String>::new());
}
