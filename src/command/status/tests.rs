use super::json::as_json;
use super::text::{Kind, as_text as text_within, lines};
use serde_json::json;
use std::time::Duration;
use treevnc_protocol::tree::message::{
    Behind, BehindFare, CheckCounts, DepthDelay, Fare, NetworkKind, NodeStatus, Status, TreeStatus, WhyLeaf,
};
use treevnc_protocol::tree::slot::{NodeId, Slot};
use treevnc_protocol::update::SessionId;

fn node(slot: u32, tree: u16, name: &str) -> NodeStatus {
    NodeStatus {
        id: NodeId(u64::from(slot)),
        name: name.into(),
        address: "192.0.2.1:5950".parse().unwrap(),
        slot: Slot(slot),
        leaf_only: (slot == 4 || slot >= 1 << 31).then_some(WhyLeaf::Unreachable),
        attached: slot != 2,
        since: Duration::from_secs(3),
        fare: None,
        tree,
        behind: None,
        behind_fare: None,
    }
}

/// A node that keeps up, measured a second ago.
fn fares(one_way: u32, node: NodeStatus) -> NodeStatus {
    let fare = Fare { age: 1000, one_way, round_trip: 700, rate: Some(2_400_000), skipped: 0, skips: 0 };
    NodeStatus { fare: Some(fare), attached: true, leaf_only: None, ..node }
}

fn with_fare(node: NodeStatus, change: impl FnOnce(&mut Fare)) -> NodeStatus {
    let mut fare = node.fare.unwrap();
    change(&mut fare);
    NodeStatus { fare: Some(fare), ..node }
}

fn tree(name: &str, kind: NetworkKind, addresses: &[&str]) -> TreeStatus {
    TreeStatus { name: name.into(), kind, addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect() }
}

fn status(trees: Vec<TreeStatus>, nodes: Vec<NodeStatus>) -> Status {
    Status {
        session: SessionId(1),
        name: "Physik".into(),
        presenter: "presenting: desk".into(),
        screen: None,
        now: Duration::from_secs(10),
        trees,
        room: 12,
        nodes,
        more: false,
        site_of: None,
        delays: Vec::new(),
        checks: None,
    }
}

fn eth0() -> Vec<TreeStatus> {
    vec![tree("eth0", NetworkKind::Lan, &["192.0.2.1"])]
}

fn as_text(status: &Status) -> String {
    text_within(status, None)
}

#[test]
fn of_those_who_are_kept_apart_it_says_how_many_and_for_how_many_more_there_is_room() {
    let apart = |slot: u32, name| NodeStatus { leaf_only: Some(WhyLeaf::Isolated), ..node(slot, 0, name) };
    let nodes = vec![node(0, 0, "root"), apart(1, "ada"), apart(2, "bob"), apart(Slot::extra(Slot::ROOT, 0).unwrap().0, "cy")];
    let mut status = status(Vec::new(), nodes);
    let said = |status: &Status| as_text(status).lines().nth(1).unwrap().to_owned();
    assert_eq!(
        said(&status),
        "3 computers cannot reach the others (the network keeps them apart, as some Wi-Fi does): the root feeds them itself, \
         it has room for 12 more"
    );
    assert_eq!((&as_json(&status)["isolated"], &as_json(&status)["room"]), (&json!(3), &json!(12)));
    status.nodes.truncate(2);
    status.room = 0;
    assert_eq!(
        said(&status),
        "1 computer cannot reach the others (the network keeps it apart, as some Wi-Fi does): the root feeds it itself, \
         it has no room for more"
    );
    status.nodes.truncate(1);
    assert!(said(&status).starts_with("  node "), "{}", said(&status));
}

#[test]
fn the_tree_is_drawn_with_lines_and_figures_in_columns() {
    let extra = Slot::extra(Slot(1), 0).unwrap().0;
    let nodes = [(0, "root"), (1, "ada"), (2, "bob"), (3, "日本"), (4, "di"), (extra, "ed")];
    let mut nodes = nodes.map(|(slot, name)| node(slot, 0, name)).to_vec();
    nodes[1] = fares(3210, node(1, 0, "ada"));
    nodes[3] = with_fare(fares(12_000, node(3, 0, "日本")), |fare| (fare.skipped, fare.skips) = (300, 25));
    let status = status(eth0(), nodes);
    let expected = "Physik (no picture yet; presenting: desk): 4 nodes, depth 2
! 1 node does not keep up: 日本
  node           depth  delay ms   bit/s  skipped  link ms  age  address
root [0]             0                                           192.0.2.1:5950
eth0 192.0.2.1: 5 nodes
  ├─ ada [1]         1       3.2    2.4M        0      0.7   1s  192.0.2.1:5950
! │  ├─ 日本 [3]     2      12.0    2.4M      300      0.7   1s  192.0.2.1:5950  skips 25% of what changes
  │  ├─ di [4]       2         -       -        -        -       192.0.2.1:5950  leaf only (cannot be reached: its firewall?)
  │  └─ ed [1+1]     2         -       -        -        -       192.0.2.1:5950  leaf only (cannot be reached: its firewall?)
  └─ bob [2]         1         -       -        -        -       192.0.2.1:5950  joining
";
    assert_eq!(as_text(&status), expected);
    let json = as_json(&status);
    assert_eq!((&json["nodes"][4]["depth"], &json["nodes"][4]["seconds"]), (&json!(2), &json!(7)));
    assert_eq!((&json["nodes"][3]["skips_percent"], &json["nodes"][3]["slow"]), (&json!(25), &json!(true)));
    assert_eq!((&json["nodes"][1]["bits_per_second"], &json["nodes"][1]["notes"]), (&json!(2_400_000), &json!([])));
    let narrow = text_within(&status, Some(80));
    let rows: Vec<_> = narrow.lines().skip(5).take(3).collect();
    let expected = [
        "  ├─ ada [1]         1       3.2    2.4M        0      0.7   1s",
        "! │  ├─ 日本 [3]     2      12.0    2.4M      300      0.7   1s",
        "                                                       skips 25% of what changes",
    ];
    assert_eq!(rows, expected);
    let long = narrow.lines().nth(9).unwrap();
    assert_eq!(long.trim_start(), "leaf only (cannot be reached: its firewall?)");
}

#[test]
fn each_network_has_its_tree_and_those_where_nobody_is_are_told_if_somebody_could_join_there() {
    let trees = vec![
        tree("lo", NetworkKind::Loopback, &["127.0.0.1"]),
        tree("eth0", NetworkKind::Lan, &["192.0.2.1"]),
        tree("eth0", NetworkKind::Lan, &["fe80::1"]),
        tree("wlan0", NetworkKind::Lan, &["10.1.0.1"]),
        tree("docker0", NetworkKind::Container, &["172.17.0.1"]),
        tree("", NetworkKind::Elsewhere, &[]),
    ];
    let nodes = vec![node(0, 0, "root"), node(1, 3, "ada"), node(3, 3, "cy"), node(1, 5, "far")];
    let status = status(trees, nodes);
    let told: Vec<_> = as_text(&status).lines().skip(2).map(|line| line.split("  ").next().unwrap_or("").to_owned()).collect();
    let drawn: Vec<_> = lines(&status, None).into_iter().filter(|line| line.text.contains('─')).map(|line| line.text).collect();
    assert_eq!(
        told,
        [
            "root [0]",
            "eth0 192.0.2.1: nobody",
            "wlan0 10.1.0.1: 2 nodes",
            "",
            "",
            "docker0 172.17.0.1 (containers; newcomers are not told of it): nobody",
            "from other networks: 1 node",
            "",
        ]
    );
    let starts = ["  └─ ada [1] ", "     └─ cy [3] ", "  └─ far [1] "];
    assert!(drawn.iter().zip(starts).all(|(line, start)| line.starts_with(start)) && drawn.len() == 3, "{drawn:?}");
    let json = as_json(&status);
    assert_eq!((&json["trees"][3]["nodes"], &json["trees"][5]["kind"]), (&json!(2), &json!("elsewhere")));
}

#[test]
fn delays_are_told_by_depth_and_what_became_of_the_checks() {
    let nodes = vec![node(0, 0, "root"), fares(3210, node(1, 0, "ada")), node(3, 0, "cy")];
    let mut status = status(eth0(), nodes);
    status.delays = vec![DepthDelay { depth: 1, count: 9, median: 3000, p95: 4260, p99: 5000, max: 6000 }];
    status.checks = Some(CheckCounts { sent: 9, answers: 8, missing: 1 });
    let text = as_text(&status);
    assert!(text.contains("\ndelay by depth in ms, median (p95): 1 3.0 (4.3)\n"), "{text}");
    assert!(text.contains("\n9 checks since the root began: 8 answers, 1 missing\n"), "{text}");
    let json = as_json(&status);
    assert_eq!((&json["delays"][0]["p95_us"], &json["nodes"][1]["delay_us"]), (&json!(4260), &json!(3210)));
    assert_eq!(json["checks"], json!({ "sent": 9, "answers": 8, "missing": 1 }));
}

#[test]
fn figures_that_are_old_do_not_look_like_those_of_now() {
    let old = |node| with_fare(node, |fare| fare.age = 42_000);
    let mut status =
        status(eth0(), vec![node(0, 0, "root"), fares(3210, node(1, 0, "ada")), old(fares(5000, node(2, 0, "bob")))]);
    let text = as_text(&status);
    assert!(text.contains("figures in parentheses are old"), "{text}");
    assert!(text.contains(" (5.0)  (2.4M)      (0)    (0.7)  42s "), "{text}");
    let kinds: Vec<_> = lines(&status, None).into_iter().map(|line| line.kind).filter(|kind| *kind != Kind::About).collect();
    assert_eq!(kinds, [Kind::Titles, Kind::Node, Kind::Node, Kind::Old]);
    status.nodes[1] = old(status.nodes[1].clone());
    let text = as_text(&status);
    assert!(text.contains("the screen has been at rest for 42s: "), "{text}");
    // What was slow then is not slow now, for all that is known.
    status.nodes[1] = with_fare(status.nodes[1].clone(), |fare| fare.skips = 50);
    assert_eq!(as_json(&status)["nodes"][1]["slow"], json!(false));
}

#[test]
fn who_is_much_later_than_the_others_of_its_row_is_slow() {
    let row = |delays: [u32; 4]| {
        let nodes = (3..).zip(delays).map(|(slot, delay)| fares(delay, node(slot, 0, "n")));
        let above = [node(0, 0, "root"), fares(900_000, node(1, 0, "ada")), fares(100, node(2, 1, "bob"))];
        as_json(&status(eth0(), above.into_iter().chain(nodes).collect()))["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .skip(3)
            .map(|node| (node["slow"] == json!(true), node["notes"].clone()))
            .collect::<Vec<_>>()
    };
    let late = row([10_000, 12_000, 45_000, 14_000]);
    assert_eq!(late[2], (true, json!(["late: others of its row take 12.0 ms"])));
    assert!([0, 1, 3].iter().all(|n| !late[*n].0));
    assert!(row([1000, 2000, 29_000, 1500]).iter().all(|(slow, _)| !slow), "nobody sees 28 ms");
    assert!(row([100_000, 120_000, 250_000, 90_000]).iter().all(|(slow, _)| !slow), "twice the others is not much later");
}

#[test]
fn who_gets_no_more_than_its_parent_is_not_the_slow_one() {
    let skipping = |slot, skips| with_fare(fares(1000, node(slot, 0, "n")), |fare| fare.skips = skips);
    let nodes = vec![node(0, 0, "root"), skipping(1, 60), skipping(2, 0), skipping(3, 65), skipping(4, 90), skipping(5, 4)];
    let json = as_json(&status(eth0(), nodes));
    let slow: Vec<_> = json["nodes"].as_array().unwrap().iter().map(|node| node["slow"] == json!(true)).collect();
    assert_eq!(slow, [false, true, false, false, true, false]);
    assert_eq!(json["nodes"][3]["notes"], json!(["skips 65% of what changes, as its parent does"]));
}

#[test]
fn those_who_do_not_keep_up_are_named_in_front_a_few_of_them() {
    let slow = |slot| with_fare(fares(1000, node(slot, 0, &format!("n{slot}"))), |fare| fare.skips = 50);
    let nodes = |count: u32| [node(0, 0, "root")].into_iter().chain((0..count).map(|n| slow(n + 7))).collect();
    let said = |count| lines(&status(eth0(), nodes(count)), None).into_iter().find(|line| line.text.starts_with("! ")).unwrap();
    assert_eq!(said(2).text, "! 2 nodes do not keep up: n7, n8");
    assert_eq!((said(6).text.as_str(), said(6).kind), ("! 6 nodes do not keep up: n7, n8, n9, n10 and 2 more", Kind::Slow));
    assert!(lines(&status(eth0(), nodes(0)), None).iter().all(|line| line.kind != Kind::Slow));
}

#[test]
fn each_reason_for_having_no_children_is_told_and_whether_it_lasts() {
    use WhyLeaf::*;
    let said = [Asked, Unreachable, Isolated, Slow, Capped, Unreached, Site].map(|why| {
        let node = NodeStatus { leaf_only: Some(why), attached: true, ..node(1, 0, "ada") };
        let json = as_json(&status(eth0(), vec![super::tests::node(0, 0, "root"), node]));
        (json["nodes"][1]["notes"][0].as_str().unwrap().to_owned(), json["nodes"][1]["slow"] == json!(true))
    });
    let expected = [
        ("leaf only (only watches)", false),
        ("leaf only (cannot be reached: its firewall?)", false),
        ("leaf only for a while (its network keeps it apart from the others)", false),
        ("leaf only for a while (slow)", true),
        ("leaf only (its upload limit is too small to pass the picture on)", false),
        ("leaf only for a while (cannot be reached by other nodes)", false),
        ("a site", false),
    ];
    assert_eq!(said, expected.map(|(note, is_slow)| (note.to_owned(), is_slow)));
}

#[test]
fn of_a_site_it_is_told_how_its_people_fare() {
    let site = NodeStatus {
        leaf_only: Some(WhyLeaf::Site),
        behind: Some(Behind { nodes: 12, depth: 3 }),
        behind_fare: Some(BehindFare { answering: 11, worst: 95_400, age: 900 }),
        ..fares(90_000, node(1, 0, "campus"))
    };
    let site = NodeStatus { leaf_only: Some(WhyLeaf::Site), ..site };
    let mut status = status(eth0(), vec![node(0, 0, "root"), site, fares(1000, node(2, 0, "near"))]);
    let text = as_text(&status);
    assert!(text.contains("  a site, 12 nodes behind it, 3 deep, the slowest 95.4 ms\n"), "{text}");
    let json = as_json(&status);
    assert_eq!(json["nodes"][1]["behind"], json!({ "nodes": 12, "depth": 3 }));
    assert_eq!(json["nodes"][1]["behind_fare"], json!({ "answering": 11, "worst_delay_us": 95_400, "age_ms": 900 }));
    assert_eq!(json["nodes"][1]["slow"], json!(false), "a site is far away");
    status.nodes[1].behind_fare = Some(BehindFare { answering: 11, worst: 95_400, age: 9000 });
    assert!(as_text(&status).contains(", the slowest was 95.4 ms\n"));
}
