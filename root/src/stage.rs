//! The stage: one writer of the session's log, and many whose screen may be shown (DESIGN.md section 5, Switching). Owns who may write; never
//! decides who should: that is the floor's.
//!
//! A source that is to be shown *rehearses*: it fetches its whole picture while the one before goes on. With its first whole picture it is
//! *live*, in one step for all readers, and the one before is *paused*. So a source that fails before that disturbs nobody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::{Rect, Size};
use treevnc_protocol::tree::floor::Source;
use treevnc_protocol::update::Seq;
use treevnc_relay::publisher::{CheckLog, PublishError, Published, Publisher};
use treevnc_relay::shared_log::SharedLog;

/// Who is shown, and who is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cast {
    /// Whose picture is in the log; none before the first.
    pub live: Option<Source>,
    /// Whose picture is to be.
    pub wanted: Source,
}

/// What a source has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Shows what changes.
    Live,
    /// Fetches its whole picture.
    Rehearsing,
    /// Asks for nothing.
    Paused,
}

/// The stage of a session. Cheap to clone: all clones are the same.
#[derive(Debug, Clone)]
pub struct Stage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    log: SharedLog,
    publisher: Mutex<Publisher>,
    /// INVARIANT: `live` changes, and is looked at by those who publish, only while `publisher` is locked.
    cast: watch::Sender<Cast>,
    /// Memory of pictures that are no longer needed.
    spare: Mutex<Vec<Framebuffer>>,
}

/// Pictures whose memory is kept: a session that ends and one that begins.
const SPARE: usize = 2;

impl Stage {
    /// A stage on which nobody is yet; the lecturer is wanted.
    pub fn new(publisher: Publisher) -> Self {
        let cast = watch::Sender::new(Cast { live: None, wanted: Source::Lecturer });
        Self(Arc::new(Inner { log: publisher.log().clone(), publisher: Mutex::new(publisher), cast, spare: Mutex::default() }))
    }

    /// The log that is written.
    pub fn log(&self) -> &SharedLog {
        &self.0.log
    }

    /// Who is shown and wanted, now and at each change.
    pub fn cast(&self) -> watch::Receiver<Cast> {
        self.0.cast.subscribe()
    }

    /// This source is to be shown as soon as it has a whole picture.
    pub fn want(&self, source: Source) {
        self.0.cast.send_if_modified(|cast| std::mem::replace(&mut cast.wanted, source) != source);
    }

    /// A source's way to the log.
    pub fn part(&self, source: Source) -> Part {
        Part { stage: self.clone(), source }
    }

    /// Checks that are sent from now on are told there.
    pub fn set_check_log(&self, checks: Arc<dyn CheckLog>) {
        self.publisher().set_check_log(checks);
    }

    /// The next frame ends with a check. Waits while a frame is being encoded.
    pub fn check_next(&self) {
        self.publisher().check_next();
    }

    /// Publishes about so many bytes of what is shown again, with a check at the end. Computes for as long as that takes.
    pub fn probe(&self, bytes: usize) -> Result<Published, PublishError> {
        self.publisher().probe(bytes)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Framebuffer>> {
        self.0.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publisher(&self) -> MutexGuard<'_, Publisher> {
        self.0.publisher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One source's way to the log.
#[derive(Debug)]
pub struct Part {
    stage: Stage,
    source: Source,
}

impl Part {
    /// The log that is written.
    pub fn log(&self) -> &SharedLog {
        self.stage.log()
    }

    /// The newest number given, whoever published it.
    pub fn seq(&self) -> Seq {
        self.log().with(|log| log.head())
    }

    /// A black picture, in memory that another source has given back if there is some.
    pub(crate) fn picture(&self, size: Size) -> Framebuffer {
        let spare = self.stage.spare().pop();
        spare.map_or_else(|| Framebuffer::new(size), |old| Framebuffer::reusing(old, size))
    }

    /// Gives back a picture that is no longer needed.
    pub(crate) fn give_back(&self, picture: Framebuffer) {
        let mut spare = self.stage.spare();
        if spare.len() < SPARE {
            spare.push(picture);
        }
    }

    /// What it has to do now.
    pub fn role(&self) -> Role {
        let cast = *self.stage.0.cast.borrow();
        if cast.live == Some(self.source) {
            Role::Live
        } else if cast.wanted == self.source {
            Role::Rehearsing
        } else {
            Role::Paused
        }
    }

    /// Resolves when the role is another one than `role`. Cancel safe.
    pub async fn role_is_not(&self, role: Role) {
        let mut cast = self.stage.cast();
        while self.role() == role {
            if cast.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Shows a whole picture as a screen of that name: it replaces what was shown. `None` when another one is wanted and this source is
    /// not live. Computes for as long as a frame takes.
    pub fn show(&self, fb: &Framebuffer, name: &str) -> Result<Option<Published>, PublishError> {
        let mut publisher = self.stage.publisher();
        if self.role() == Role::Paused {
            return Ok(None);
        }
        publisher.begin_screen(fb.size(), name);
        let published = publisher.publish_frame(fb, &[fb.size().rect()])?;
        self.stage.0.cast.send_if_modified(|cast| cast.live.replace(self.source) != Some(self.source));
        Ok(Some(published))
    }

    /// Shows what changed, while this source is live; else `None`. Computes for as long as a frame takes.
    pub fn publish(&self, fb: &Framebuffer, damage: &[Rect]) -> Result<Option<Published>, PublishError> {
        let mut publisher = self.stage.publisher();
        if self.role() != Role::Live {
            return Ok(None);
        }
        publisher.publish_frame(fb, damage).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::floor::ShareId;
    use treevnc_protocol::update::SessionId;
    use treevnc_relay::clock::SessionClock;
    use treevnc_relay::picture::paint;

    fn picture(side: u16, colour: u32) -> Framebuffer {
        let mut fb = Framebuffer::new(Size::new(side, side).unwrap());
        fb.pixels_mut().fill(colour);
        fb
    }

    #[test]
    fn the_one_before_goes_on_until_the_next_has_a_whole_picture() {
        let stage = Stage::new(Publisher::new(SharedLog::new(SessionId(1)), SessionClock::start()));
        let shown = || paint(&stage.log().all_entries()).unwrap().unwrap();
        let share = Source::Share(ShareId(1));
        let (lecturer, student) = (stage.part(Source::Lecturer), stage.part(share));
        assert_eq!((lecturer.role(), student.role()), (Role::Rehearsing, Role::Paused));
        assert_eq!(lecturer.publish(&picture(70, 1), &[]).unwrap(), None, "a screen is shown whole first");
        assert!(lecturer.show(&picture(70, 1), "desk").unwrap().is_some());
        assert_eq!(student.show(&picture(90, 2), "Ada").unwrap(), None);
        stage.want(share);
        assert_eq!((lecturer.role(), student.role()), (Role::Live, Role::Rehearsing));
        assert!(lecturer.publish(&picture(70, 3), &[Rect::new(0, 0, 70, 70)]).unwrap().is_some());
        assert!(shown() == picture(70, 3));
        assert!(student.show(&picture(90, 2), "Ada").unwrap().is_some());
        assert_eq!((lecturer.role(), student.role()), (Role::Paused, Role::Live));
        assert_eq!(lecturer.publish(&picture(70, 4), &[Rect::new(0, 0, 70, 70)]).unwrap(), None);
        assert_eq!(lecturer.show(&picture(70, 4), "desk").unwrap(), None);
        assert!(shown() == picture(90, 2));
        assert_eq!(stage.log().with(|log| log.screen().cloned()).unwrap().name, "Ada");
        stage.want(Source::Lecturer);
        assert!(lecturer.show(&picture(70, 5), "desk").unwrap().is_some());
        assert!(shown() == picture(70, 5));
    }
}
