//! Whole sessions over real loopback sockets: a source, its log and port, children and ordinary viewers.
#![allow(unreachable_pub, reason = "a test program exports nothing; pub is between its files")]

#[cfg(test)]
mod life;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod links;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod source;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod viewer;
#[cfg(test)]
mod viewers;
