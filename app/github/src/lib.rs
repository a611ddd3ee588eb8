//! GitHub: webhooks in, App authentication, reads, writes
