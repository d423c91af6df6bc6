//! A process that ends with its owner, and whose lines can be waited for.

use crate::support::wait::poll_until;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const TERM_PATIENCE: Duration = Duration::from_secs(3);
const LINES_SHOWN: usize = 30;

/// A running program with its output collected line by line.
pub(crate) struct Process {
    name: String,
    child: Child,
    out: Lines,
    err: Lines,
    readers: Vec<JoinHandle<()>>,
    stop: &'static str,
}

impl Process {
    /// Starts `command` with pipes; the kernel ends it when this thread dies before its owner is dropped.
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut tied = Command::new("setpriv");
        tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => tied.env(key, value),
                None => tied.env_remove(key),
            };
        }
        let started = tied.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("can't start {name}: {error}"));
        let (out, err) = (Lines::default(), Lines::default());
        let readers = vec![out.fill(child.stdout.take().unwrap()), err.fill(child.stderr.take().unwrap())];
        Self { name, child, out, err, readers, stop: "TERM" }
    }

    /// [`Process::start`] for a program and its arguments.
    pub(crate) fn run(program: &str, args: &[&str]) -> Self {
        Self::start(Command::new(program).args(args))
    }

    /// Says that this program is ended at once (it holds nothing that it would have to put away).
    pub(crate) fn killed_at_once(mut self) -> Self {
        self.stop = "KILL";
        self
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lines of standard output.
    pub(crate) fn out(&self) -> &Lines {
        &self.out
    }

    /// Lines of standard error.
    pub(crate) fn err(&self) -> &Lines {
        &self.err
    }

    /// Writes a line to its standard input.
    pub(crate) fn say(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Waits for a line of standard output.
    pub(crate) fn line(&self, what: &str, patience: Duration, wanted: impl Fn(&str) -> bool) -> String {
        self.out.wait(patience, &wanted).unwrap_or_else(|| panic!("{} did not say {what}\n{}", self.name, self.said()))
    }

    /// Whether it is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end, and for all it has said.
    pub(crate) fn end(&mut self, patience: Duration) -> ExitStatus {
        let status = poll_until(&format!("the end of {}", self.name), patience, || self.child.try_wait().unwrap());
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        status
    }

    /// The last lines it printed.
    pub(crate) fn said(&self) -> String {
        let last = |lines: &Lines| {
            let all = lines.all();
            all[all.len().saturating_sub(LINES_SHOWN)..].join("\n  ")
        };
        format!("{} [{}] stdout:\n  {}\nstderr:\n  {}", self.name, self.id(), last(&self.out), last(&self.err))
    }

    /// Ends it as a crash would, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let _ = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).stderr(Stdio::null()).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.said());
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(self.stop);
            let deadline = Instant::now() + TERM_PATIENCE;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A line and when it came.
type Timed = (Instant, String);

/// Lines that arrive over time.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<(Mutex<Vec<Timed>>, Condvar)>);

impl Lines {
    fn fill(&self, source: impl Read + Send + 'static) -> JoinHandle<()> {
        let lines = self.clone();
        std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                lines.0.0.lock().unwrap().push((Instant::now(), text));
                lines.0.1.notify_all();
                line.clear();
            }
        })
    }

    /// All lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// How many lines so far are `wanted`.
    pub(crate) fn count(&self, wanted: impl Fn(&str) -> bool) -> usize {
        self.0.0.lock().unwrap().iter().filter(|(_, line)| wanted(line)).count()
    }

    /// The first line that is `wanted`, present or to come.
    pub(crate) fn wait(&self, patience: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.wait_nth(1, patience, wanted)
    }

    /// The `nth` line (from 1) that is `wanted`, present or to come.
    pub(crate) fn wait_nth(&self, nth: usize, patience: Duration, wanted: impl Fn(&str) -> bool) -> Option<String> {
        self.wait_moment(nth, patience, wanted).map(|(_, line)| line)
    }

    /// The same with the moment at which it came.
    pub(crate) fn wait_moment(&self, nth: usize, patience: Duration, wanted: impl Fn(&str) -> bool) -> Option<Timed> {
        let found = |lines: &Vec<Timed>| lines.iter().filter(|(_, line)| wanted(line)).nth(nth - 1).cloned();
        let lines = self.0.0.lock().unwrap();
        let (lines, _) = self.0.1.wait_timeout_while(lines, patience, |lines| found(lines).is_none()).unwrap();
        found(&lines)
    }
}

/// A program of this project, to be given arguments.
pub(crate) fn treevnc<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_treevnc"));
    command.args(args).env_remove("RUST_LOG").env_remove("VNC_PASSWORD");
    command
}
