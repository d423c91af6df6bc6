//! A node and its parent's signs of life, over real sockets: the root and parent is played by the test.

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};
    use tokio::sync::mpsc;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;
    use treevnc_protocol::tree::message::{
        Asking, AttachReply, Attached, Behind, ConnectTo, Fault, Heartbeat, Message, Presenter, WhereToConnect,
    };
    use treevnc_protocol::tree::slot::{NodeId, Slot, V};
    use treevnc_protocol::tree::ticket::{KEY_BYTES, Key, Ticket};
    use treevnc_protocol::update::{Seq, SessionId};
    use treevnc_relay::link::{Incoming, TreeLink};
    use treevnc_relay::port::{Port, PortOptions, TreeService};
    use treevnc_relay::shared_log::SharedLog;
    use treevnc_relay::upload::Upload;
    use treevnc_viewer::node::{Node, NodeOptions};

    const PATIENCE: Duration = Duration::from_secs(20);
    const SESSION: SessionId = SessionId(5);
    const ROOT: NodeId = NodeId(1);

    /// Gives everybody who asks the place below itself, and hands over the links of those who come.
    struct Root {
        addr: SocketAddr,
        v: AtomicU64,
        questions: mpsc::UnboundedSender<Asking>,
        children: mpsc::UnboundedSender<TreeLink>,
    }

    impl Root {
        fn place(&self, id: NodeId) -> Message {
            Message::ConnectTo(ConnectTo {
                session: SESSION,
                v: V(1 + self.v.fetch_add(1, Ordering::Relaxed)),
                id,
                slot: Slot(1),
                parent: ROOT,
                address: self.addr,
                ticket: Ticket([0; 16]),
                key: Key::new([0; KEY_BYTES]),
                name: "test".into(),
                log: SESSION,
            })
        }
    }

    impl TreeService for Root {
        async fn serve(&self, mut link: TreeLink, _peer: SocketAddr) {
            match link.read().await {
                Ok(Incoming::Message(Message::WhereToConnect(WhereToConnect { id, asking, .. }))) => {
                    self.questions.send(asking).unwrap();
                    link.write_message(&self.place(id)).await.unwrap();
                    if let Ok(Incoming::Message(Message::Attached(Attached { v, children }))) = link.read().await {
                        link.write_message(&Message::Attached(Attached { v, children })).await.unwrap();
                    }
                }
                Ok(Incoming::Message(Message::Attach(_))) => {
                    let reply = Message::AttachReply(AttachReply::Ok { head: Seq::NONE });
                    link.write_message(&reply).await.unwrap();
                    self.children.send(link).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn bind() -> Port {
        Port::bind(&[(Ipv4Addr::LOCALHOST, 0).into()]).unwrap()
    }

    struct Session {
        questions: mpsc::UnboundedReceiver<Asking>,
        children: mpsc::UnboundedReceiver<TreeLink>,
        tasks: [JoinHandle<()>; 2],
    }

    impl Session {
        fn new() -> Self {
            Self::with(|options| Node::new(options, bind(), SharedLog::new(SessionId(0))).unwrap())
        }

        fn with(node: impl FnOnce(NodeOptions) -> Node) -> Self {
            let port = bind();
            let addr = port.local_addr().unwrap();
            let (asked, questions) = mpsc::unbounded_channel();
            let (came, children) = mpsc::unbounded_channel();
            let root = Arc::new(Root { addr, v: AtomicU64::new(0), questions: asked, children: came });
            let root = tokio::spawn(port.run(SharedLog::new(SESSION), root, PortOptions::default()));
            let options = NodeOptions {
                root: addr,
                name: "Ada".into(),
                relay: true,
                id: NodeId(7),
                seed: 1,
                give_up: Duration::from_secs(60),
                upload: Upload::unlimited(),
            };
            let node = node(options);
            let node = tokio::spawn(async move { drop(node.run().await) });
            Self { questions, children, tasks: [root, node] }
        }

        async fn question(&mut self) -> Asking {
            timeout(PATIENCE, self.questions.recv()).await.expect("nobody asks").unwrap()
        }

        async fn child(&mut self) -> TreeLink {
            timeout(PATIENCE, self.children.recv()).await.expect("nobody comes").unwrap()
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            self.tasks.iter().for_each(JoinHandle::abort);
        }
    }

    async fn heartbeat(link: &mut TreeLink) -> Heartbeat {
        match timeout(PATIENCE, link.read()).await.expect("no heartbeat").unwrap() {
            Incoming::Message(Message::Heartbeat(heartbeat)) => heartbeat,
            other => panic!("{other:?}"),
        }
    }

    /// Beats as long as it is answered: so many times, each with the next beat.
    async fn beat(link: &mut TreeLink, beats: std::ops::Range<u64>) -> Duration {
        let begun = Instant::now();
        for beat in beats {
            link.write_message(&Message::Heartbeat(Heartbeat { beat, received: beat })).await.unwrap();
            while heartbeat(link).await.beat < beat {}
        }
        begun.elapsed()
    }

    #[tokio::test]
    async fn a_heartbeat_is_answered_at_once_with_its_beat_and_with_what_was_received() {
        let mut session = Session::new();
        let mut link = session.child().await;
        let first = heartbeat(&mut link).await;
        let taken = beat(&mut link, 10..50).await;
        assert!(taken < Duration::from_millis(200) * 40 / 2, "{taken:?}: these came by the clock");
        link.write_message(&Message::Heartbeat(Heartbeat { beat: 3, received: 0 })).await.unwrap();
        let last = heartbeat(&mut link).await;
        assert_eq!(last.beat, 49, "beats do not go back");
        assert!(last.received > first.received + 40 * 7, "{} bytes, {} before", last.received, first.received);
    }

    #[tokio::test]
    async fn a_parent_that_falls_silent_is_lost_by_its_silence_and_the_link_is_closed() {
        let mut session = Session::new();
        assert_eq!(session.question().await, Asking::New);
        let mut link = session.child().await;
        beat(&mut link, 1..30).await;
        let begun = Instant::now();
        assert_eq!(session.question().await, Asking::LostParent { parent: ROOT, fault: Fault::Silence });
        let taken = begun.elapsed();
        assert!(Duration::from_millis(500) < taken && taken < Duration::from_secs(4), "{taken:?}");
        println!("asked again after {taken:?}");
        let hung_up = async { while link.read().await.is_ok() {} };
        timeout(PATIENCE, hung_up).await.expect("the link stays open");
        let mut again = session.child().await;
        beat(&mut again, 31..33).await;
    }

    async fn next_message(link: &mut TreeLink) -> Message {
        loop {
            match timeout(PATIENCE, link.read()).await.expect("nothing is said").unwrap() {
                Incoming::Message(Message::Heartbeat(_)) => {}
                Incoming::Message(message) => return message,
                Incoming::Update(..) => panic!("a child sends no pictures"),
            }
        }
    }

    fn line(of: &[u64]) -> Message {
        Message::Presenter(Presenter { line: of.iter().copied().map(NodeId).collect(), ..Presenter::default() })
    }

    #[tokio::test]
    async fn a_site_says_what_is_behind_it_and_leaves_a_parent_above_which_it_stands_itself() {
        let mut handle = None;
        let mut session = Session::with(|options| {
            let site = Node::site(options, 5950, SharedLog::new(SessionId(0)));
            site.handle().set_behind(Behind { nodes: 3, depth: 1 });
            handle = Some(site.handle());
            site
        });
        let handle = handle.unwrap();
        assert_eq!(session.question().await, Asking::New);
        let mut link = session.child().await;
        assert_eq!(next_message(&mut link).await, Message::Site(Behind { nodes: 3, depth: 1 }));
        handle.set_behind(Behind { nodes: 4, depth: 2 });
        assert_eq!(next_message(&mut link).await, Message::Site(Behind { nodes: 4, depth: 2 }));
        let mut told = handle.presenter();
        link.write_message(&line(&[1])).await.unwrap();
        timeout(PATIENCE, told.wait_for(|told| told.line == [ROOT])).await.expect("the line is not taken in").unwrap();
        for circle in [vec![9, 7, 1], (100..116).collect()] {
            link.write_message(&line(&circle)).await.unwrap();
            assert_eq!(session.question().await, Asking::LostParent { parent: ROOT, fault: Fault::Closed });
            assert_eq!(told.borrow().line, [ROOT], "a line in which it stands is not passed on");
            link = session.child().await;
        }
    }
}
