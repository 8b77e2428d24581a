//! What the tests against a real Kubernetes share.
