//! Sites in networks of their own, behind routers that translate addresses, one below the other: eighteen hosts see the same picture.

use crate::support::campus::Campus;
use crate::support::desktop::start_xvnc_inside;
use crate::support::namespaces::{Hosts, start_inside};
use crate::support::painter::{Painter, Video, dithered};
use crate::support::picture::Picture;
use crate::support::process::{Process, treevnc};
use crate::support::session::Member;
use crate::support::site::Site;
use crate::support::tools::{Scratch, Turn, unique};
use crate::support::wait::{PATIENCE, pace_until, poll_until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::Rectangle;

const SIZE: (u16, u16) = (640, 480);
/// How long the cable between a site and its root is out.
const OUT: Duration = Duration::from_secs(10);

/// A process of the session and the words that lead to its host.
struct Spot {
    inside: Vec<String>,
    member: Member,
}

/// A root and six nodes on one network; near: a site and its nodes behind a router there; far: the same behind a router at near's.
struct World {
    // Dropped in this order.
    spots: Vec<Spot>,
    painter: Option<Painter>,
    colour: u32,
    _xvnc: Process,
    far: Campus,
    near: Campus,
    hosts: Hosts,
    scratch: Scratch,
}

impl World {
    fn new() -> Self {
        let hosts = Hosts::new(7);
        let near = Campus::at_hosts(1, 7, &hosts);
        let far = Campus::at_campus(2, 6, &near);
        let (display, port, xvnc) = start_xvnc_inside(&hosts.inside(0), SIZE);
        let painter = Some(Painter::new(&display, (0, 0), SIZE));
        let (spots, scratch) = (Vec::new(), Scratch::new());
        let mut world = Self { spots, painter, colour: 0x0020_4060, _xvnc: xvnc, far, near, hosts, scratch };
        let vnc = format!("127.0.0.1::{port}");
        let inside = words(&world.hosts.inside(0));
        world.start(inside, "root", &["root", "--vnc", &vnc, "--listen", "5950", "--name"]);
        for host in 1..=6 {
            world.join(words(&world.hosts.inside(host)), &format!("main{host}"), &["10.77.0.1"]);
        }
        // Only the first of each campus knows an address.
        world.join(words(&world.near.inside(1)), "near1", &["10.77.0.1", "--direct"]);
        (2..=6).for_each(|host| world.join(words(&world.near.inside(host)), &format!("near{host}"), &[]));
        world.join(words(&world.far.inside(1)), "far1", &[&world.near.address(1), "--direct"]);
        (2..=5).for_each(|host| world.join(words(&world.far.inside(host)), &format!("far{host}"), &[]));
        assert_eq!(world.spots.len(), 18);
        world
    }

    fn start(&mut self, inside: Vec<String>, name: &str, args: &[&str]) {
        let process = start_inside(&borrowed(&inside), &treevnc([args, &[name]].concat())).killed_at_once();
        self.spots.push(Spot { inside, member: Member::started(process, name) });
    }

    fn join(&mut self, inside: Vec<String>, name: &str, whom: &[&str]) {
        self.start(inside, name, &[&["join"], whom, &["--headless", "--name"]].concat());
        self.spots.last().unwrap().member.place();
    }

    fn spot(&self, name: &str) -> &Spot {
        self.spots.iter().find(|spot| spot.member.name == name).unwrap()
    }

    fn snapshot(&self, spot: &Spot) -> Picture {
        let file = self.scratch.file(&format!("{}.png", unique()));
        let address = format!("127.0.0.1:{}", spot.member.address.port());
        let mut taking =
            start_inside(&borrowed(&spot.inside), &treevnc(["snapshot".as_ref(), address.as_ref(), file.as_os_str()]));
        assert!(taking.end(PATIENCE).success(), "{}", taking.said());
        Picture::from_png(&file)
    }

    fn status(&self, name: &str) -> Option<Value> {
        let spot = self.spot(name);
        let address = format!("127.0.0.1:{}", spot.member.address.port());
        let mut asking = start_inside(&borrowed(&spot.inside), &treevnc(["status", &address, "--json"]));
        asking.end(PATIENCE).success().then(|| serde_json::from_str(&asking.out().all().join("\n")).unwrap())
    }

    /// Paints a square in a colour that nobody has seen.
    fn paint(&mut self) -> u32 {
        self.colour += 0x0001_0203;
        let square = Rectangle { x: 200, y: 200, width: 100, height: 100 };
        self.painter.as_ref().unwrap().fill(&[square], self.colour);
        self.colour
    }

    /// Waits until everybody shows the root's picture, in which the square has this colour.
    fn must_be_shown(&self, colour: u32) {
        let truth = poll_until("the new colour at the root", PATIENCE, || {
            Some(self.snapshot(&self.spots[0])).filter(|picture| picture.pixel(250, 250) == colour)
        });
        for spot in &self.spots {
            let is_equal = || self.snapshot(spot).difference(&truth).is_none().then_some(());
            poll_until(&format!("the root's picture at {}", spot.member.name), PATIENCE, is_equal);
        }
    }

    /// How often those behind the first router have said where they stand, the two leaders not counted.
    fn places_said(&self) -> usize {
        let is_behind = |name: &str| (name.starts_with("near") || name.starts_with("far")) && !name.ends_with('1');
        self.spots.iter().filter(|spot| is_behind(&spot.member.name)).map(|spot| spot.member.places_said()).sum()
    }

    /// A node of the main network that feeds nobody.
    fn leaf(&self) -> usize {
        let status = self.status("root").unwrap();
        let nodes = status["nodes"].as_array().unwrap();
        let name = |slot: u64| {
            nodes.iter().find(|node| node["slot"] == slot && node["tree"] == nodes[1]["tree"]).unwrap()["name"].clone()
        };
        name(6).as_str().unwrap().trim_start_matches("main").parse().unwrap()
    }
}

fn words(inside: &[&str]) -> Vec<String> {
    inside.iter().map(|word| (*word).to_owned()).collect()
}

fn borrowed(inside: &[String]) -> Vec<&str> {
    inside.iter().map(String::as_str).collect()
}

#[test]
fn two_sites_behind_nat_one_below_the_other_get_one_copy_each_and_a_student_there_presents_to_all_eighteen() {
    if !Site::is_possible(&["nft"]) {
        return;
    }
    let _turn = Turn::whole();
    let mut world = World::new();
    let colour = world.paint();
    world.must_be_shown(colour);
    let node = |status: &Value, name: &str| status["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).cloned();
    poll_until("what is behind the sites", PATIENCE, || {
        let near = node(&world.status("root")?, "near1")?;
        (near["behind"]["nodes"] == 10).then_some(())
    });
    assert_eq!(world.status("far2").unwrap()["site_of"], json!({ "host": "10.91.0.1", "depth": 2 }));

    // One copy: a router's line gets what the line of any host gets that feeds nobody.
    let leaf = world.leaf();
    let counts = |world: &World| [world.near.bytes_in(), world.far.bytes_in(), world.hosts.bytes_in(leaf)];
    let before = counts(&world);
    let video = Video::play(world.painter.take().unwrap(), &dithered(SIZE.0, SIZE.1, 6), 10);
    poll_until("fifty frames", PATIENCE, || (video.frames() >= 50).then_some(()));
    world.painter = Some(video.stop());
    let colour = world.paint();
    poll_until("the end of the video everywhere", PATIENCE, || {
        let shows = |name: &str| world.snapshot(world.spot(name)).pixel(250, 250) == colour;
        ["near1", "far1", &format!("main{leaf}")].into_iter().all(shows).then_some(())
    });
    let after = counts(&world);
    let [near, far, child] = [0, 1, 2].map(|at| (after[at] - before[at]) as f64);
    println!("bytes in while 50 frames were shown: site {near}, site below {far}, a child without children {child}");
    assert!(child > 2e6 && near <= 1.05 * child && far <= 1.05 * child, "{near} and {far} against {child}");
    world.must_be_shown(colour);

    // Behind two routers.
    let inside = words(&world.far.inside(6));
    let (display, port, _xvnc) = start_xvnc_inside(&borrowed(&inside), (800, 600));
    let homework = Painter::new(&display, (0, 0), (800, 600));
    homework.fill(&[Rectangle { x: 10, y: 10, width: 500, height: 300 }], 0x0012_3456);
    let vnc = format!("127.0.0.1::{port}");
    let mut ada = world.far.start(6, &treevnc(["share", &world.far.address(1), "--vnc", &vnc, "--name", "Ada"]));
    ada.line("that it is shown", PATIENCE, |line| line.starts_with("live"));
    let truth = poll_until("Ada's screen at the root", PATIENCE, || {
        Some(world.snapshot(&world.spots[0])).filter(|picture| picture.width == 800 && picture.pixel(100, 100) == 0x0012_3456)
    });
    for spot in &world.spots {
        let is_equal = || world.snapshot(spot).difference(&truth).is_none().then_some(());
        poll_until(&format!("Ada's screen at {}", spot.member.name), PATIENCE, is_equal);
    }
    ada.signal("TERM");
    assert!(ada.end(PATIENCE).success(), "{}", ada.said());
    let colour = world.paint();
    world.must_be_shown(colour);
}

#[test]
fn a_site_whose_cable_is_out_keeps_its_trees_and_the_picture_and_then_gets_what_it_missed() {
    if !Site::is_possible(&["nft"]) {
        return;
    }
    let _turn = Turn::whole();
    let mut world = World::new();
    let painter = world.painter.as_ref().unwrap();
    let page = dithered(SIZE.0, SIZE.1, 1).remove(0);
    painter.show(&painter.keep(&page));
    let colour = world.paint();
    world.must_be_shown(colour);
    let (said, before) = (world.places_said(), world.snapshot(world.spot("far2")));

    world.near.cut();
    let cut = Instant::now();
    let interrupted = "the connection to 10.77.0.1 is interrupted";
    poll_until("the note at the site", PATIENCE, || {
        world.paint();
        (world.status("near2")?["presenter"] == interrupted).then_some(())
    });
    poll_until("the note at the site below", PATIENCE, || (world.status("far3")?["presenter"] == interrupted).then_some(()));
    // Somebody comes meanwhile.
    let come_in = world.near.host_bytes_in(7);
    world.join(words(&world.near.inside(7)), "near7", &[]);
    for name in ["near1", "near5", "near7", "far2"] {
        let picture = world.snapshot(world.spot(name));
        assert!(picture.difference(&before).is_none(), "{name} keeps the last picture");
    }
    let whole = world.near.host_bytes_in(7) - come_in;
    // Who wants to present now is told why not.
    let inside = words(&world.near.inside(3));
    let (_display, port, _xvnc) = start_xvnc_inside(&borrowed(&inside), SIZE);
    let vnc = format!("127.0.0.1::{port}");
    let mut ada = world.near.start(3, &treevnc(["share", &world.near.address(1), "--vnc", &vnc, "--name", "Ada"]));
    assert_eq!(ada.end(PATIENCE).code(), Some(1), "{}", ada.said());
    assert_eq!(ada.err().count(|line| line.contains(interrupted)), 1, "{}", ada.said());
    pace_until(cut + OUT);
    let colour = world.paint();
    let bytes = world.near.bytes_in();
    world.near.restore();
    poll_until("the present picture behind the router", PATIENCE, || {
        (world.snapshot(world.spot("near1")).pixel(250, 250) == colour).then_some(())
    });
    let caught_up = world.near.bytes_in() - bytes;
    println!("a newcomer got {whole} bytes, the site that was cut off {caught_up}");
    assert!(2 * caught_up < whole, "only what was missed: {caught_up} bytes, the whole picture is {whole}");
    world.must_be_shown(colour);
    poll_until("the note's end", PATIENCE, || (world.status("far3")?["presenter"] != interrupted).then_some(()));
    assert_eq!(world.places_said(), said + 1, "nobody behind the router has moved, and one has come");
}
