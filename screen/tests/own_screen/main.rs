//! Our own capture against real X servers and programs: pixels, damage, displays, the pointer, and a VNC client's view of it.
#![cfg(all(unix, not(target_os = "macos")))]
#![allow(unreachable_pub, reason = "a test program exports nothing; pub is between its files")]

#[cfg(test)]
mod displays;
#[cfg(test)]
mod life;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod pointer;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod x;
