//! A namespace that ends with the test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use k8s_openapi::api::core::v1::Namespace as Object;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::cluster::{client, kubectl};

/// A namespace that lets only restricted pods in, deleted when dropped.
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// A client of the administrator.
    pub client: Client,
}

impl Namespace {
    /// A fresh namespace whose name begins with `prefix`.
    ///
    /// # Panics
    /// When the API server refuses it.
    pub async fn new(prefix: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        let name = format!(
            "{prefix}-{:x}-{}",
            since.as_millis() & 0xff_ffff,
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let client = client().await;
        let object: Object = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
        }))
        .expect("this is a namespace");
        Api::<Object>::all(client.clone())
            .create(&PostParams::default(), &object)
            .await
            .unwrap_or_else(|error| panic!("failed to create namespace {name}: {error}"));
        Self { name, client }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let deleted = kubectl(["delete", "namespace", &self.name, "--wait=false"], None);
        if !deleted.success {
            eprintln!("namespace {} stays: {}", self.name, deleted.stderr);
        }
    }
}
