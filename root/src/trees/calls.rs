//! Connections between the root and one node for one purpose: those that nodes make to ask, and those that the root makes.

use super::{Above, Trees};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::debug;
use treevnc_protocol::tree::children::Link;
use treevnc_protocol::tree::forest::Forest;
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::tree::topology::{Answer, Caller, Dial};
use treevnc_relay::link::{Incoming, LinkError, TreeLink, dial};

/// How long a node may take from its question to ATTACHED or FAILED; its own deadlines are shorter.
pub(super) const CONVERSATION: Duration = Duration::from_secs(60);
/// Answers of one call that may wait to be sent.
pub(super) const CALL_LANE: usize = 8;
/// How long a node that is dialled may take to greet; the topology's own deadlines are shorter.
const DIAL: Duration = Duration::from_secs(3);

impl<A: Above> Trees<A> {
    /// Dials a node, says what is to be said, and hands on what it answers.
    pub(super) async fn call(self: Arc<Self>, Dial { link: number, address, message }: Dial, answers: mpsc::Receiver<Answer>) {
        let call = Call { trees: &*self, link: number };
        let talk = async {
            let mut link = dial(address, DIAL).await?;
            link.write_message(&message).await?;
            self.exchange(link, answers, |forest, message, now| forest.handle_dial_message(number, message, now)).await
        };
        if let Ok(Err(error)) = timeout(CONVERSATION, talk).await {
            debug!("the call to {address} ended: {error}");
        }
        drop(call);
    }

    /// A call: messages of a node go to the topology, the topology's answers to the node, until one says that it is the last.
    pub(super) async fn converse(&self, link: TreeLink, peer: SocketAddr, first: Message) -> Result<(), LinkError> {
        let local = link.local_addr();
        self.meet(local);
        let (call, answers) = Call::begin(self);
        let caller = Caller { link: call.link, peer: peer.ip(), local };
        self.with_forest(|forest, now| forest.handle_message(&caller, &first, now));
        self.exchange(link, answers, |forest, message, now| forest.handle_message(&caller, message, now)).await
    }

    /// Sends the topology's answers and hands it what comes back, until an answer is the last.
    async fn exchange(
        &self,
        mut link: TreeLink,
        mut answers: mpsc::Receiver<Answer>,
        hand_on: impl Fn(&mut Forest, &Message, Duration),
    ) -> Result<(), LinkError> {
        loop {
            tokio::select! {
                answer = answers.recv() => {
                    let Some(answer) = answer else { return Ok(()) };
                    if let Some(message) = answer.message {
                        link.write_message(&message).await?;
                    }
                    if answer.close {
                        return Ok(());
                    }
                }
                incoming = link.read() => {
                    if let Incoming::Message(message) = incoming? {
                        self.with_forest(|topology, now| hand_on(topology, &message, now));
                    }
                }
            }
        }
    }
}

/// A call's entry, gone when the call is.
struct Call<'a, A: Above> {
    trees: &'a Trees<A>,
    link: Link,
}

impl<'a, A: Above> Call<'a, A> {
    fn begin(trees: &'a Trees<A>) -> (Self, mpsc::Receiver<Answer>) {
        let (lane, answers) = mpsc::channel(CALL_LANE);
        let mut state = trees.lock();
        state.last_call += 1;
        let link = Link(state.last_call);
        state.calls.insert(link, lane);
        drop(state);
        (Self { trees, link }, answers)
    }
}

impl<A: Above> Drop for Call<'_, A> {
    fn drop(&mut self) {
        self.trees.lock().calls.remove(&self.link);
        self.trees.with_forest(|forest, now| forest.handle_closed(self.link, now));
    }
}
