//! The plan's promises: which way, when, and what is told, whatever routers answer.

use super::*;

const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 2);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);

/// A plan and its time.
struct World {
    plan: Plan,
    place: Place,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let port = NonZeroU16::new(5950).unwrap();
        let now = Instant::now();
        Self { plan: Plan::new(port, now), place: Place { gateway: Some(GATEWAY), own: Some(OWN), port }, now }
    }

    /// The next round, in which the router answers so; what was tried, how long it took to come, and what is said.
    fn round(&mut self, answer: impl Fn(Way) -> Option<Opened>) -> (Vec<Way>, Duration, Option<News>) {
        let waited = self.plan.due().saturating_duration_since(self.now);
        self.now = self.plan.due().max(self.now);
        self.plan.stand_at(self.place);
        let mut tried = Vec::new();
        for way in self.plan.ways() {
            tried.push(way);
            match answer(way) {
                Some(opened) => {
                    self.plan.opened(opened);
                    break;
                }
                None => self.plan.refused(way, "no answer".to_owned()),
            }
        }
        (tried, waited, self.plan.concluded(self.now))
    }
}

fn address(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

fn opened(way: Way, at: &str) -> Opened {
    Opened { way, address: address(at), lease: Some(LEASE), uptime: None }
}

fn silent(_: Way) -> Option<Opened> {
    None
}

#[test]
fn the_first_way_that_works_is_told_once_and_renewed_alone() {
    let mut world = World::new();
    let router = |way| (way == Way::Upnp).then(|| opened(way, "5.9.0.1:5950"));
    let (tried, waited, news) = world.round(router);
    assert_eq!((tried, waited), (vec![Way::Pcp, Way::NatPmp, Way::Upnp], Duration::ZERO));
    let said = news.unwrap().to_string();
    assert_eq!(said, "open to the world at 5.9.0.1:5950 (join there with: treevnc join 5.9.0.1:5950)");
    for _ in 0..10 {
        assert_eq!(world.round(router), (vec![Way::Upnp], RENEWAL, None));
    }
}

#[test]
fn without_a_known_gateway_only_the_search_is_left() {
    let mut world = World::new();
    world.place.gateway = None;
    assert_eq!(world.round(silent).0, [Way::Upnp]);
}

#[test]
fn a_lease_is_renewed_at_half_of_it_whatever_the_router_grants() {
    let cases = [(1, 2), (4, 2), (20, 10), (60, 30), (7200, 30), (u64::from(u32::MAX), 30)];
    for (lease, wait) in cases {
        let mut world = World::new();
        let router = |way| Some(Opened { lease: Some(Duration::from_secs(lease)), ..opened(way, "5.9.0.1:5950") });
        world.round(router);
        assert_eq!(world.round(router).1, Duration::from_secs(wait), "{lease}");
    }
    let mut world = World::new();
    let router = |way| Some(Opened { lease: None, ..opened(way, "5.9.0.1:5950") });
    world.round(router);
    assert_eq!(world.round(router).1, RENEWAL);
}

#[test]
fn a_router_that_is_silent_for_less_than_the_lease_is_no_news_and_then_everything_is_tried() {
    let mut world = World::new();
    world.round(|way| Some(opened(way, "5.9.0.1:5950")));
    let start = world.now;
    let mut waits = Vec::new();
    let news = loop {
        let (tried, waited, news) = world.round(silent);
        waits.push(waited.as_secs());
        assert_eq!(tried, [Way::Pcp]);
        if let Some(news) = news {
            break news;
        }
        assert!(world.now < start + LEASE);
    };
    assert_eq!(waits[..6], [30, 2, 4, 8, 16, 30], "{waits:?}");
    assert_eq!(world.now, start + LEASE);
    assert!(!news.is_open());
    let said = news.to_string();
    assert!(said.starts_with("no longer open to the world at 5.9.0.1:5950 (PCP: no answer); forward TCP port 5950"), "{said}");
    let (tried, _, news) = world.round(|way| (way == Way::NatPmp).then(|| opened(way, "5.9.0.1:5950")));
    assert_eq!(tried, [Way::Pcp, Way::NatPmp]);
    assert_eq!(news, Some(News::Open { address: address("5.9.0.1:5950"), before: None }));
}

#[test]
fn a_router_that_offers_nothing_is_told_once_and_asked_less_and_less() {
    let mut world = World::new();
    let said = world.round(silent).2.unwrap().to_string();
    assert_eq!(
        said,
        "the router opens no port (PCP: no answer; NAT-PMP: no answer; UPnP: no answer); forward TCP port 5950 to 192.168.7.2:5950 in the \
         router's settings (often at http://192.168.7.1/), and others join the router's public address"
    );
    let mut waits = Vec::new();
    for _ in 0..100 {
        let (_, waited, news) = world.round(silent);
        waits.push(waited.as_secs());
        assert_eq!(news, None);
    }
    assert_eq!(waits[..9], [2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert!(waits[9..].iter().all(|wait| *wait == 300));
}

#[test]
fn another_public_address_is_news() {
    let mut world = World::new();
    world.round(|way| Some(opened(way, "5.9.0.1:5950")));
    let news = world.round(|way| Some(opened(way, "5.9.0.7:5950"))).2.unwrap();
    assert_eq!(news, News::Open { address: address("5.9.0.7:5950"), before: Some(address("5.9.0.1:5950")) });
    assert!(news.to_string().starts_with("the router's address has changed: open to the world at 5.9.0.7:5950 (join"));
    assert_eq!(world.round(|way| Some(opened(way, "5.9.0.7:5950"))).2, None);
}

#[test]
fn a_router_whose_uptime_falls_had_forgotten_the_port() {
    let mut world = World::new();
    let up = |uptime| move |way| Some(Opened { uptime: Some(uptime), ..opened(way, "5.9.0.1:5950") });
    world.round(up(1000));
    assert_eq!(world.round(up(1030)).2, None);
    assert_eq!(world.round(up(12)).2, Some(News::Reopened { address: address("5.9.0.1:5950") }));
    assert_eq!(world.round(up(42)).2, None);
}

#[test]
fn an_address_that_is_not_public_is_not_praised() {
    let mut world = World::new();
    let news = world.round(|way| Some(opened(way, "100.64.3.4:6000"))).2.unwrap();
    assert_eq!(news, News::Inner { address: address("100.64.3.4:6000") });
    assert!(news.to_string().contains("no public address"));
}

#[test]
fn a_machine_with_a_public_address_asks_nobody() {
    let mut world = World::new();
    world.place.own = Some(Ipv4Addr::new(5, 9, 0, 3));
    let (tried, _, news) = world.round(silent);
    assert_eq!((tried, news), (vec![], Some(News::Direct { address: address("5.9.0.3:5950") })));
    assert_eq!(world.round(silent), (vec![], RENEWAL, None));
}

#[test]
fn another_network_is_asked_anew() {
    let mut world = World::new();
    world.round(|way| Some(opened(way, "5.9.0.1:5950")));
    world.place.own = None;
    let (tried, _, news) = world.round(silent);
    assert_eq!(tried, []);
    assert!(news.unwrap().to_string().contains("no IPv4 network"));
    world.place = Place { gateway: Some(Ipv4Addr::new(10, 0, 0, 1)), own: Some(Ipv4Addr::new(10, 0, 0, 9)), ..world.place };
    let (tried, _, news) = world.round(silent);
    assert_eq!(tried, Way::ALL);
    assert!(news.unwrap().to_string().contains("to 10.0.0.9:5950"));
    assert!(!world.plan.stand_at(Place { own: Some(OWN), ..world.place }));
}

#[test]
fn without_being_asked_it_tells_what_to_forward_only_where_a_router_stands_between() {
    let port = NonZeroU16::new(5950).unwrap();
    let told = |gateway, own| Place { gateway, own, port }.unasked().map(|news| news.to_string());
    let said = told(Some(GATEWAY), Some(OWN)).unwrap();
    assert!(said.contains("forward TCP port 5950 to 192.168.7.2:5950") && said.contains("http://192.168.7.1/"), "{said}");
    assert!(said.contains("--open-port") && !said.contains('\n'), "{said}");
    assert_eq!(told(Some(GATEWAY), None), None);
    assert_eq!(told(Some(GATEWAY), Some(Ipv4Addr::new(5, 9, 0, 1))), None);
    if cfg!(target_os = "linux") {
        assert_eq!(told(None, Some(OWN)), None, "a network that leads nowhere");
    }
}
