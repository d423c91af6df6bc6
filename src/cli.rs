//! The command line: options and their help. Turns words into configuration, decides nothing.

mod simulate;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use treevnc_plot::{Format, PlotError};
use treevnc_protocol::tree::message::Policy;
use treevnc_protocol::tree::upload::{Rate, RateError};
use treevnc_screen::display::{Choice, ChoiceError};

pub(crate) use simulate::SimulateArgs;

/// Port of a root unless `--listen` says otherwise (VNC display :50).
pub(crate) const DEFAULT_PORT: u16 = 5950;

/// One screen on a hundred laptops: the picture is encoded once and handed from viewer to viewer.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = "Try it now, with nothing else installed:  treevnc demo")]
pub(crate) struct Cli {
    /// Say more on stderr: -v link events, -vv every update (RUST_LOG has the last word)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The command line of this process. Ends it when that is wrong.
    pub(crate) fn of_process() -> Self {
        let cli = Self::parse();
        if let Command::Simulate(args) = &cli.command
            && let Err(wrong) = args.check()
        {
            Self::command().error(ErrorKind::ValueValidation, wrong).exit()
        }
        cli
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how it works on this machine: a made-up presenter, a root and some nodes; ends with the tree and delays by depth
    Demo(DemoArgs),
    /// Begin a session with this machine's screen, or that of a VNC server, and be the root of the tree
    Root(RootArgs),
    /// Watch a shared screen and pass it on
    Join(JoinArgs),
    /// Show this machine's screen, or that of a VNC server, to everybody in a session
    Share(ShareArgs),
    /// List the displays that --display can choose from
    Displays(DisplaysArgs),
    /// At the root's machine: who presents and who asks to; let them, refuse them, take the screen back
    Floor(FloorArgs),
    /// Save the present picture of any node as a PNG file
    Snapshot(SnapshotArgs),
    /// Show the tree: who is where, how they fare, who is slow and why, and who presents
    Status(StatusArgs),
    /// At the root's machine: measure how long pictures take to every node, by depth
    Delay(DelayArgs),
    /// Run the tree's own state machines on virtual time, with thousands of nodes in trouble, and check them at every step
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Number of nodes that join the root
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) nodes: u16,
    /// End after so many seconds (with --window: when it is closed)
    #[arg(long, value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,
    /// Open the window of the last node
    #[arg(long)]
    pub(crate) window: bool,
    /// Address and port on which the root listens
    #[arg(long, value_name = "[ADDR:]PORT", default_value = "127.0.0.1:5950", value_parser = listen)]
    pub(crate) listen: Listen,
}

#[derive(Debug, Args)]
pub(crate) struct RootArgs {
    /// A VNC server's screen instead of this machine's own: HOST, HOST:DISPLAY or HOST::PORT
    #[arg(long, value_name = "HOST[:DISPLAY|::PORT]")]
    pub(crate) vnc: Option<String>,
    /// The account at the presenter's VNC server, when it asks for one (macOS, VeNCrypt X509Plain)
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File whose first line is the VNC password (or set VNC_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Address and port on which nodes and VNC viewers connect
    #[arg(long, value_name = "[ADDR:]PORT", default_value = "5950", value_parser = listen)]
    pub(crate) listen: Listen,
    /// Name of the session, as newcomers see it [default: this machine's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Show the picture here, too
    #[arg(long)]
    pub(crate) window: bool,
    /// Share one display only: its number (1 is the first), WIDTHxHEIGHT+X+Y, or all
    #[arg(long, value_name = "N", default_value = "all", value_parser = choice)]
    pub(crate) display: Choice,
    /// Send at most so much altogether, in bits per second: 800k, 5M, 1G
    #[arg(long, value_name = "RATE", value_parser = rate_limit)]
    pub(crate) max_upload: Option<Rate>,
    /// Who else may present: whoever asks, whom you let (in the window, or by `treevnc floor`), or nobody
    #[arg(long, value_name = "WHO", default_value = "free")]
    pub(crate) share: Share,
    /// Ask the router to let the world in (PCP, NAT-PMP or UPnP), and take that back at the end. Without it, those outside need the port forwarded to this machine in the router's settings
    #[arg(long)]
    pub(crate) open_port: bool,
    /// Give out figures for Prometheus by HTTP at /metrics there; without ADDR for this machine only
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = listen)]
    pub(crate) metrics: Option<Listen>,
}

/// Who may present beside the lecturer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Share {
    Free,
    Ask,
    Locked,
}

impl From<Share> for Policy {
    fn from(share: Share) -> Self {
        match share {
            Share::Free => Self::Free,
            Share::Ask => Self::Ask,
            Share::Locked => Self::Locked,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Pass the picture on without showing it
    #[arg(long, conflicts_with_all = ["fullscreen", "one_to_one", "speed", "vnc", "user", "password_file"])]
    pub(crate) headless: bool,
    /// Start in full screen
    #[arg(long)]
    pub(crate) fullscreen: bool,
    /// Start at one screen pixel per picture pixel instead of fitting the window
    #[arg(long)]
    pub(crate) one_to_one: bool,
    /// Start in SPEED mode: scale by nearest pixel instead of with a filter
    #[arg(long)]
    pub(crate) speed: bool,
    /// Give out this node's figures for Prometheus by HTTP at /metrics there; without ADDR for this machine only
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = listen)]
    pub(crate) metrics: Option<Listen>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// How a node takes part.
#[derive(Debug, Args)]
pub(crate) struct NodeArgs {
    /// The root (or any node of the tree); without it the local network is searched
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) root: Option<String>,
    /// Without HOST: join the session of this name when several are found
    #[arg(long, conflicts_with = "root")]
    pub(crate) session: Option<String>,
    /// HOST is in another network, behind routers or far away: take one copy of the picture from there and be the root of this network, where others then find the session by themselves
    #[arg(long, requires = "root", conflicts_with = "no_relay")]
    pub(crate) direct: bool,
    /// Address and port for children and VNC viewers; port 0 takes any free one [default: 0; with --direct 5950 if it is free]
    #[arg(long, value_name = "[ADDR:]PORT", value_parser = listen)]
    pub(crate) listen: Option<Listen>,
    /// Name of this node in the tree [default: this machine's name]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only watch: never be asked to pass the picture on
    #[arg(long)]
    pub(crate) no_relay: bool,
    /// Send at most so much altogether, in bits per second: 800k, 5M, 1G
    #[arg(long, value_name = "RATE", value_parser = rate_limit)]
    pub(crate) max_upload: Option<Rate>,
    /// End with exit code 0 when the session ends
    #[arg(long)]
    pub(crate) end_with_session: bool,
    /// End with exit code 1 after so many seconds without a place in the tree, for example when the root is gone [default: 60; with --direct 3600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) give_up: Option<Duration>,
}

/// Whose screen is shared from a node.
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// The VNC server to share from here [default: the one on this machine's port 5900, or this machine's own screen]
    #[arg(long, value_name = "HOST[:DISPLAY|::PORT]")]
    pub(crate) vnc: Option<String>,
    /// The account at that VNC server, when it asks for one (macOS, VeNCrypt X509Plain)
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File whose first line is the VNC password (or set VNC_PASSWORD); it stays on this machine
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ShareArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Share one display only: its number (1 is the first), WIDTHxHEIGHT+X+Y, or all
    #[arg(long, value_name = "N", default_value = "all", value_parser = choice)]
    pub(crate) display: Choice,
}

#[derive(Debug, Args)]
pub(crate) struct DisplaysArgs {
    /// Those of a VNC server instead of this machine's
    #[arg(long, value_name = "HOST[:DISPLAY|::PORT]")]
    pub(crate) vnc: Option<String>,
    /// The account at that VNC server, when it asks for one
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File whose first line is the VNC password (or set VNC_PASSWORD)
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FloorArgs {
    /// What to do
    #[command(subcommand)]
    pub(crate) action: Option<FloorAction>,
    /// The root, which must run on this machine
    #[arg(long, value_name = "HOST[:PORT]", default_value = "localhost", global = true)]
    pub(crate) root: String,
    /// Print JSON for machines
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum FloorAction {
    /// Say who presents and who asks to (the default)
    Show,
    /// Let a request be shown: the one of this number, or the oldest
    Approve {
        /// The request's number
        number: Option<u32>,
    },
    /// Refuse a request: the one of this number, or the oldest
    Refuse {
        /// The request's number
        number: Option<u32>,
    },
    /// Show the lecturer's screen again
    Back,
    /// From now on whoever asks may present
    Free,
    /// From now on you are asked first
    Ask,
    /// From now on nobody else may present
    Locked,
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    /// Any node or root
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) node: String,
    /// The PNG file to write
    #[arg(value_name = "FILE.png")]
    pub(crate) file: PathBuf,
    /// Give up when no picture has come after so many seconds
    #[arg(long, default_value = "10", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// The root, or any node, which names its root
    #[arg(value_name = "HOST[:PORT]")]
    pub(crate) node: String,
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
    /// Show it again every second, in place, until q is pressed
    #[arg(long, conflicts_with = "json")]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DelayArgs {
    /// The root, which must run on this machine
    #[arg(value_name = "HOST[:PORT]", default_value = "localhost")]
    pub(crate) root: String,
    /// How many checks are sent
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,
    /// About how many bytes of the present picture are sent again with a check; several sizes take turns
    #[arg(long, value_name = "BYTES", value_delimiter = ',', default_value = "65536", value_parser = clap::value_parser!(u32).range(1..=67_108_864))]
    pub(crate) size: Vec<u32>,
    /// Let the checks ride on what the presenter changes, and send nothing besides
    #[arg(long, conflicts_with = "size")]
    pub(crate) ride: bool,
    /// From one check to the next
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    pub(crate) interval: Duration,
    /// Write each answer as a line of a CSV file
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) csv: Option<PathBuf>,
    /// Draw the delays by size and depth, and how they are distributed, as .svg or .png
    #[arg(long, value_name = "FILE.svg", value_parser = picture_file)]
    pub(crate) plot: Option<PathBuf>,
    /// Measure nothing: take the answers from a file that --csv wrote
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["root", "count", "size", "ride", "interval", "csv"])]
    pub(crate) from: Option<PathBuf>,
    /// Print JSON for machines instead of the table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where a process listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen {
    /// The one address asked for; without it all addresses of both families.
    pub(crate) address: Option<IpAddr>,
    /// The port; 0 takes any free one.
    pub(crate) port: u16,
}

impl Listen {
    /// Where to bind: the one address, or all addresses of both families.
    pub(crate) fn socket_addrs(self) -> Vec<SocketAddr> {
        let everywhere = vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let addresses = self.address.map_or(everywhere, |address| vec![address]);
        addresses.into_iter().map(|address| SocketAddr::new(address, self.port)).collect()
    }
}

fn choice(text: &str) -> Result<Choice, String> {
    text.parse().map_err(|error: ChoiceError| error.to_string())
}

fn listen(text: &str) -> Result<Listen, String> {
    if let Ok(port) = text.parse() {
        return Ok(Listen { address: None, port });
    }
    let whole: SocketAddr = text.parse().map_err(|_| "give a PORT, ADDR:PORT or [IPV6]:PORT".to_owned())?;
    Ok(Listen { address: Some(whole.ip()), port: whole.port() })
}

fn rate_limit(text: &str) -> Result<Rate, String> {
    text.parse().map_err(|error: RateError| error.to_string())
}

fn picture_file(text: &str) -> Result<PathBuf, PlotError> {
    Format::of(Path::new(text)).map(|_| text.into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "give a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number)
        .ok()
        .filter(|d| !d.is_zero())
        .ok_or_else(|| "give a positive number of seconds".to_owned())
}

/// Splits `HOST[:PORT]` into a host to look up and a port; IPv6 addresses may stand in brackets, alone or with a port.
pub(crate) fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let bad = || format!("'{text}' is no HOST[:PORT]; for example lecture-pc, 192.168.1.5:5950 or [fe80::1%eth0]:5950");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(bad)?;
            (host, after.strip_prefix(':').map_or(after.is_empty().then_some(None), |port| Some(Some(port))).ok_or_else(bad)?)
        }
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| bad()))?;
    if host.is_empty() { Err(bad()) } else { Ok((host.to_owned(), port)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn hosts_and_ports_are_told_apart() {
        let ok = |text: &str| host_and_port(text).unwrap();
        assert_eq!(ok("pc"), ("pc".into(), 5950));
        assert_eq!(ok("pc:7"), ("pc".into(), 7));
        assert_eq!(ok("::1"), ("::1".into(), 5950));
        assert_eq!(ok("[::1]"), ("::1".into(), 5950));
        assert_eq!(ok("[fe80::1%eth0]:80"), ("fe80::1%eth0".into(), 80));
        for bad in ["", ":5", "pc:", "pc:x", "[::1", "[::1]5", "pc:70000"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn listening_addresses() {
        assert_eq!(listen("5950"), Ok(Listen { address: None, port: 5950 }));
        assert_eq!(listen("127.0.0.1:0").unwrap().socket_addrs(), ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!(listen("7").unwrap().socket_addrs().len(), 2);
        assert!(listen("nowhere").is_err() && listen("70000").is_err());
    }
}
