//! An ordinary VNC viewer, as a machine without sockets (DESIGN section 5, rule 7): what it says and what the log has go in, the next
//! message for it comes out. View-only: keys, pointer and clipboard are dropped here.

mod fitted;
mod load;
mod outgoing;
mod palette;

pub(crate) use outgoing::{Outgoing, Pieces};

use fitted::Fit;
use load::{LIMITS, Limits, Load};
use outgoing::{Body, Coding};
use std::sync::Arc;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::log::{Batch, Entry};
use treevnc_protocol::pixel::{Form, PixelFormat};
use treevnc_protocol::rfb::{ClientMessage, ScreenArea, desktop_size_rect, encoding, extended_desktop_size_rect};
use treevnc_protocol::update::{Content, Seq};
use treevnc_protocol::zrle::primer;

/// Most pixels of a region that is answered Raw; for a larger one the whole screen is sent.
const REGION_PX: usize = 1 << 18;

/// Where a viewer's updates come from.
pub(crate) trait Source {
    /// The next batch, if there is one now.
    fn next_batch(&mut self) -> Option<Arc<Batch>>;
    /// Goes back, so that everything after `seq` comes again.
    fn rewind(&mut self, seq: Seq);
    /// A batch has been dealt with.
    fn sent(&mut self, batch: &Batch);
    /// Everything that paints the newest picture.
    fn all_entries(&self) -> Vec<Arc<Entry>>;
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this, then ask again.
    Send(Outgoing),
    /// Nothing, until the viewer says something.
    WaitForViewer,
    /// Nothing, until the viewer says something or the log changes.
    WaitForLog,
}

/// How a viewer can be told of another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resizing {
    /// Not at all: it keeps its size, and gets what fits into that.
    Never,
    Plain,
    Extended,
}

/// One ordinary viewer after its handshake.
///
/// In: [`handle_message`](Self::handle_message), and what [`poll`](Self::poll) takes from its [`Source`]. Out: one [`Step`] per poll. Every
/// FramebufferUpdate answers a request, and none is empty.
///
/// A *pass* begins where everything the viewer has is void: at the start, at a new screen, and when it asks for the whole screen. A
/// request for the whole screen while the first batch of a pass is under way begins the next pass only after that batch, so that a
/// viewer that asks for nothing else gets to see the bottom of the screen too.
#[derive(Debug)]
pub(crate) struct OrdinaryViewer {
    format: PixelFormat,
    owes_palette: bool,
    understands_zrle: bool,
    resizing: Resizing,
    /// Reason and status of the ExtendedDesktopSize that the next update begins with.
    owes_size: Option<(u16, u16)>,
    /// The size that the viewer has.
    shown: Size,
    /// The size of the screen, of which a viewer that cannot be resized sees the top left, with black beyond.
    screen_size: Size,
    /// Whether the next pixels bring the black beyond a smaller screen.
    owes_border: bool,
    has_primer: bool,
    is_requested: bool,
    wants_whole: bool,
    region: Option<Rect>,
    /// The number of the screen that the viewer shows.
    screen: Seq,
    /// Whether no pixel of this pass has been sent.
    is_clean: bool,
    is_first_batch: bool,
    batch: Option<Progress>,
    limits: Limits,
}

#[derive(Debug)]
struct Progress {
    batch: Arc<Batch>,
    next: usize,
}

impl OrdinaryViewer {
    /// A viewer that was told of a screen of that size in the native format.
    pub(crate) fn new(shown: Size) -> Self {
        Self {
            format: PixelFormat::NATIVE,
            owes_palette: false,
            understands_zrle: false,
            resizing: Resizing::Never,
            owes_size: None,
            shown,
            screen_size: shown,
            owes_border: false,
            has_primer: false,
            is_requested: false,
            wants_whole: false,
            region: None,
            screen: Seq::NONE,
            is_clean: true,
            is_first_batch: true,
            batch: None,
            limits: LIMITS,
        }
    }

    /// Takes in what the viewer says. It acts from the next update on.
    pub(crate) fn handle_message(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::SetPixelFormat(format) => {
                self.owes_palette = !format.true_colour;
                self.format = if format.true_colour { format } else { palette::stand_in(&format) };
            }
            ClientMessage::SetEncodings(numbers) => self.set_encodings(&numbers),
            ClientMessage::FramebufferUpdateRequest { incremental, rect } => self.request(incremental, rect),
            ClientMessage::SetDesktopSize { .. } => self.owes_size = Some((1, 1)),
            ClientMessage::KeyEvent { .. } | ClientMessage::PointerEvent { .. } | ClientMessage::CutText(_) => {}
        }
    }

    /// DesktopSize is preferred: a viewer that is told of ExtendedDesktopSize may believe that it can resize the presenter's screen.
    fn set_encodings(&mut self, numbers: &[i32]) {
        let offers = |number| numbers.contains(&number);
        self.resizing = match (offers(encoding::DESKTOP_SIZE), offers(encoding::EXTENDED_DESKTOP_SIZE)) {
            (true, _) => Resizing::Plain,
            (false, true) => Resizing::Extended,
            (false, false) => Resizing::Never,
        };
        self.owes_size = (self.resizing == Resizing::Extended).then_some((0, 0));
        self.understands_zrle = offers(encoding::ZRLE);
        if self.understands_zrle && !self.has_primer && !self.is_clean {
            // The primer paints a pixel of tile 0, so everything must come after it.
            self.wants_whole = true;
        }
    }

    fn request(&mut self, incremental: bool, rect: Rect) {
        self.is_requested = true;
        if incremental {
            return;
        }
        if self.resizing == Resizing::Extended {
            self.owes_size = self.owes_size.or(Some((0, 0)));
        }
        let Some(inside) = rect.intersection(self.shown.rect()) else { return };
        let union = self.region.map_or(inside, |region| around(region, inside));
        if union == self.shown.rect() || union.area() > REGION_PX {
            (self.wants_whole, self.region) = (true, None);
        } else {
            self.region = Some(union);
        }
    }

    /// The next step.
    pub(crate) fn poll(&mut self, source: &mut impl Source) -> Step {
        if std::mem::take(&mut self.owes_palette) {
            return Step::Send(Outgoing::message(palette::message()));
        }
        if !self.is_requested {
            return Step::WaitForViewer;
        }
        if self.owes_resize() {
            // It could not be resized before, and has learned it since.
            self.begin_pass(source);
            self.region = None;
            return self.resize(None);
        }
        self.begin_pass_if_wanted(source);
        if let Some(rect) = self.region.take().filter(|_| !self.wants_whole && self.screen != Seq::NONE) {
            let entries = source.all_entries();
            if newest_size(&entries) == Some(self.screen_size) {
                return self.send(Body::Region { rect, entries, format: self.format, canvas: self.shown }, None);
            }
        }
        loop {
            let progress = self.batch.take().or_else(|| Some(Progress { batch: source.next_batch()?, next: 0 }));
            let Some(progress) = progress else { return Step::WaitForLog };
            let batch = Arc::clone(&progress.batch);
            if let Some(step) = self.go_on(progress) {
                return step;
            }
            source.sent(&batch);
        }
    }

    fn begin_pass_if_wanted(&mut self, source: &mut impl Source) {
        if self.is_clean {
            self.wants_whole = false;
        } else if self.wants_whole && !(self.is_first_batch && self.batch.is_some()) {
            self.begin_pass(source);
        }
    }

    fn begin_pass(&mut self, source: &mut impl Source) {
        self.batch = None;
        source.rewind(self.screen);
        (self.wants_whole, self.is_clean, self.is_first_batch) = (false, true, true);
        self.owes_border = self.has_border();
    }

    /// Sends what comes next of a batch; `None` when there was nothing left to send in it.
    fn go_on(&mut self, mut progress: Progress) -> Option<Step> {
        let coding = self.coding();
        let mut load = Load::default();
        while let Some(entry) = progress.batch.entries.get(progress.next) {
            match &entry.update().content {
                Content::Screen(screen) => {
                    self.begin_screen(entry.update().seq, screen.size);
                    // What was painted before it is void.
                    load = Load::default();
                    if self.owes_resize() {
                        progress.next += 1;
                        let finishes = self.keep(progress);
                        return Some(self.resize(finishes));
                    }
                }
                Content::Picture(_) if !self.is_seen(entry) => {}
                Content::Picture(_) if load.is_full(entry, coding != Coding::Verbatim || self.fit().is_some(), self.limits) => {
                    break;
                }
                Content::Picture(_) => load.add(entry),
            }
            progress.next += 1;
        }
        let finishes = self.keep(progress);
        if load.entries.is_empty() {
            return None;
        }
        self.is_clean = false;
        let (fit, size) = (self.fit(), self.screen_size);
        self.owes_border = false;
        let body = Body::Entries { entries: load.entries, coding, format: self.format, size, fit };
        Some(self.send(body, finishes))
    }

    /// Puts a batch back, or answers with it when its end is reached.
    fn keep(&mut self, progress: Progress) -> Option<Arc<Batch>> {
        if progress.next < progress.batch.entries.len() {
            self.batch = Some(progress);
            return None;
        }
        self.is_first_batch = false;
        Some(progress.batch)
    }

    fn begin_screen(&mut self, seq: Seq, size: Size) {
        (self.screen, self.screen_size) = (seq, size);
        (self.is_clean, self.is_first_batch) = (true, true);
        self.owes_border = self.has_border();
    }

    /// Whether the viewer has another size than the screen, and can be told.
    fn owes_resize(&self) -> bool {
        self.shown != self.screen_size && self.resizing != Resizing::Never
    }

    /// Tells the viewer the screen's size.
    fn resize(&mut self, finishes: Option<Arc<Batch>>) -> Step {
        self.shown = self.screen_size;
        let rect = if self.resizing == Resizing::Extended {
            self.owes_size = None;
            self.extended_rect(0, 0)
        } else {
            desktop_size_rect(self.shown).to_vec()
        };
        self.is_requested = false;
        Step::Send(Outgoing::rect(rect, finishes))
    }

    /// How the screen is fitted into the viewer's size, when that is another.
    fn fit(&self) -> Option<Fit> {
        (self.shown != self.screen_size).then_some(Fit { canvas: self.shown, with_border: self.owes_border })
    }

    /// Whether the screen leaves something of the viewer's size free.
    fn has_border(&self) -> bool {
        !self.shown.rect().is_within(self.screen_size)
    }

    /// Whether an update paints anything within the viewer's size.
    fn is_seen(&self, entry: &Entry) -> bool {
        let grid = entry.tiles().grid();
        self.screen_size.rect().is_within(self.shown) || grid.touched(self.shown.rect()).any(|tile| entry.tiles().contains(tile))
    }

    fn extended_rect(&self, reason: u16, status: u16) -> Vec<u8> {
        let area = ScreenArea { id: 0, rect: self.shown.rect(), flags: 0 };
        extended_desktop_size_rect(reason, status, self.shown, &[area])
    }

    fn coding(&self) -> Coding {
        match (self.understands_zrle, self.format.form()) {
            (false, _) => Coding::Raw,
            (true, Form::Bgr) => Coding::Verbatim,
            (true, Form::Rgb) => Coding::Rgb,
            (true, Form::Other) => Coding::Recoded,
        }
    }

    /// An update that answers the request, with what is owed in front.
    fn send(&mut self, body: Body, finishes: Option<Arc<Batch>>) -> Step {
        let mut front = Vec::new();
        let mut front_rects = 0;
        if let Some((reason, status)) = self.owes_size.take().filter(|_| self.resizing == Resizing::Extended) {
            front.extend(self.extended_rect(reason, status));
            front_rects += 1;
        }
        let is_zrle = matches!(&body, Body::Entries { coding, .. } if *coding != Coding::Raw);
        if is_zrle && !self.has_primer {
            self.has_primer = true;
            front.extend(primer(&self.format));
            front_rects += 1;
        }
        self.is_requested = false;
        Step::Send(Outgoing { front, front_rects, body, finishes })
    }
}

/// The smallest rectangle around two.
fn around(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let side = |end: u32, start: u16| u16::try_from(end - u32::from(start)).unwrap_or(u16::MAX);
    Rect::new(x, y, side(a.right().max(b.right()), x), side(a.bottom().max(b.bottom()), y))
}

/// The size of the last screen among updates.
fn newest_size(entries: &[Arc<Entry>]) -> Option<Size> {
    entries.iter().rev().find_map(|entry| match &entry.update().content {
        Content::Screen(screen) => Some(screen.size),
        Content::Picture(_) => None,
    })
}

#[cfg(test)]
#[path = "ordinary_tests.rs"]
mod tests;
