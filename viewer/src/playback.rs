//! Plays a log back into a picture: decodes each batch and presents at complete points (DESIGN section 5, rule 2). One reader of the
//! node's own log; what is shown is never half of a frame.

use crate::picture::{Note, Shown, Stage};
use treevnc_protocol::framebuffer::Framebuffer;
use treevnc_protocol::geometry::Rect;
use treevnc_protocol::log::{Batch, Cursor};
use treevnc_protocol::update::{Content, Seq, SessionId};
use treevnc_protocol::zrle::{Decoder, ZrleError};
use treevnc_relay::shared_log::{ReaderKind, SharedLog};

/// Shows what arrives in `log` on `shown`, until the log's owner is gone. Dropping the future ends it at a batch's end.
pub async fn play(log: SharedLog, shown: Shown) {
    let start = Cursor::new(log.with(|log| log.session()), Seq::NONE);
    let mut reader = log.reader(ReaderKind::Local, start);
    let mut player = Player::new(shown.clone());
    loop {
        let batch = reader.next().await;
        let painted = tokio::task::spawn_blocking(move || {
            let result = player.paint(&batch);
            (player, batch, result)
        })
        .await;
        let Ok((returned, batch, result)) = painted else { return };
        player = returned;
        reader.sent(&batch);
        if let Err(error) = result {
            tracing::warn!("an update cannot be decoded: {error}");
            shown.set_note(Note::ConnectionLost { retry: "the picture is damaged".into() });
        }
    }
}

/// Decodes batches of one log in order.
struct Player {
    decoder: Decoder,
    stage: Stage,
    shown: Shown,
    session: Option<SessionId>,
    picture: Option<Framebuffer>,
    damage: Vec<Rect>,
    newest: Seq,
    target: Seq,
}

impl Player {
    fn new(shown: Shown) -> Self {
        Self {
            decoder: Decoder::new(),
            stage: Stage::new(shown.clone()),
            shown,
            session: None,
            picture: None,
            damage: Vec::new(),
            newest: Seq::NONE,
            target: Seq::NONE,
        }
    }

    /// Paints a batch; presents when it ends at a complete point.
    fn paint(&mut self, batch: &Batch) -> Result<(), ZrleError> {
        if self.session.replace(batch.session) != Some(batch.session) {
            (self.newest, self.target) = (Seq::NONE, Seq::NONE);
        }
        for entry in &batch.entries {
            let update = entry.update();
            match &update.content {
                Content::Screen(screen) => {
                    self.picture = Some(match self.picture.take() {
                        Some(old) => Framebuffer::reusing(old, screen.size),
                        None => Framebuffer::new(screen.size),
                    });
                    self.damage = vec![screen.size.rect()];
                    self.shown.set_presenter(&screen.name);
                }
                Content::Picture(picture) => {
                    if let Some(fb) = &mut self.picture {
                        self.decoder.decode(picture, fb)?;
                        self.damage.extend(picture.iter().map(|(rect, _)| rect));
                    }
                }
            }
            self.newest = update.seq;
            self.target = self.target.max(batch.until(entry));
        }
        if self.newest == self.target
            && let Some(fb) = &self.picture
        {
            self.stage.present(fb, &self.damage);
            self.shown.set_painted(self.newest);
            self.damage.clear();
        }
        Ok(())
    }
}
