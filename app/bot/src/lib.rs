//! Landfall: the server, the flows and the command line
