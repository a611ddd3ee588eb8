//! GitHub, UniFi and Cloudflare as they behave, for tests and the demo
