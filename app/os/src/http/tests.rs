//! The client against real peers on loopback.
