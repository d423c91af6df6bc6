//! What stands above the trees of the session's own root: the floor, and the measurements.

use crate::delays::Delays;
use crate::floor::FloorKeeper;
use crate::trees::Above;
use std::sync::Arc;
use std::time::Duration;
use treevnc_protocol::tree::message::{
    CheckCounts, CheckDelayReply, DelayRequest, DepthDelay, FloorCommand, Message, NodeStatus, Present, ServerChangeRequest,
};
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::text::NodeName;
use treevnc_relay::link::{LinkError, TreeLink};

/// The top of a session.
#[derive(Debug)]
pub(crate) struct Summit {
    pub(crate) floor: Arc<FloorKeeper>,
    pub(crate) delays: Arc<Delays>,
}

impl Above for Summit {
    async fn share(&self, link: TreeLink, request: ServerChangeRequest) -> Result<(), LinkError> {
        self.floor.converse(link, request).await
    }

    async fn present(&self, link: TreeLink, present: Present) -> Result<(), LinkError> {
        self.floor.show(link, &present).await
    }

    fn command(&self, command: FloorCommand) -> Message {
        Message::Floor(self.floor.decide(command))
    }

    fn gone(&self, node: NodeId) {
        self.floor.gone(node);
        self.delays.gone(node);
    }

    fn answered(&self, site: Option<NodeId>, batch: CheckDelayReply, round_trip: Option<Duration>, least: Option<Duration>) {
        self.delays.answered(site, &batch, round_trip, least);
    }

    fn tell_fares(&self, nodes: &mut [NodeStatus]) {
        self.delays.tell(nodes);
    }

    fn checks(&self) -> Option<CheckCounts> {
        Some(self.delays.checks())
    }

    fn delays(&self) -> Vec<DepthDelay> {
        self.delays.by_depth()
    }

    async fn measure(
        &self,
        link: TreeLink,
        request: DelayRequest,
        name_of: impl Fn(NodeId) -> Option<NodeName> + Send + Sync,
    ) -> Result<(), LinkError> {
        self.delays.measure(link, request, name_of).await
    }
}
