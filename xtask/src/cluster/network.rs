//! The bridge that joins the nodes, and the network namespace of each.
//!
//! Nothing of it leads off the machine: a node knows the way to the other nodes, to the pods and to the bridge, and
//! every other address is unreachable for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cluster::{succeeds, system};
use crate::error::Error;
use crate::process::output;

/// The bridge; its alias is the folder of the cluster that it belongs to.
pub const BRIDGE: &str = "toxicity0";

/// The machine's own address on the bridge.
pub const HOST: &str = "10.89.0.1";

/// What the network namespaces, cgroups and veth devices of nodes are called, before the number.
pub const NODE_PREFIX: &str = "toxicity-node-";

/// Address of a node on the bridge.
pub fn node_address(number: u8) -> String {
    format!("10.89.0.{}", 10 + number)
}

/// Addresses of a node's pods.
pub fn pod_range(number: u8) -> String {
    format!("10.244.{number}.0/24")
}

/// Name of a node's network namespace and cgroup.
pub fn node_namespace(number: u8) -> String {
    format!("{NODE_PREFIX}{number}")
}

/// The file by which a namespace is entered.
pub fn namespace_file(number: u8) -> PathBuf {
    Path::new("/run/netns").join(node_namespace(number))
}

/// The folder of the cluster that has nodes on this machine. An empty path is one that was cut off before it had put
/// its name to the bridge.
pub fn owner() -> Option<PathBuf> {
    let alias = std::fs::read_to_string(format!("/sys/class/net/{BRIDGE}/ifalias")).ok()?;
    Some(PathBuf::from(alias.trim()))
}

/// Fails when another cluster, or something else, has the addresses that nodes get.
pub fn check_free(folder: &Path) -> Result<(), Error> {
    if let Some(owner) = owner() {
        if owner == folder || owner.as_os_str().is_empty() {
            return Ok(());
        }
        return Err(Error::ShareMachine { owner });
    }
    for address in [HOST, "10.244.1.1", "10.96.0.10"] {
        let route = output(Command::new("ip").args(["route", "show", "match", address]), "")?;
        if let Some(line) = route.lines().find(|line| !line.starts_with("default")) {
            return Err(Error::ShareAddresses {
                route: line.trim().to_owned(),
            });
        }
    }
    Ok(())
}

/// Makes the bridge and the namespaces of `nodes` nodes, or what of it is missing.
pub fn ensure(folder: &Path, nodes: u8) -> Result<(), Error> {
    // Where the module is built in or cannot be loaded, the settings below tell.
    let _ = succeeds("modprobe", &["--all", "br_netfilter", "overlay"]);
    if owner().is_none() {
        system("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
    }
    let alias = folder.display().to_string();
    system("ip", &["link", "set", BRIDGE, "alias", &alias, "up"])?;
    system(
        "ip",
        &["address", "replace", &format!("{HOST}/24"), "dev", BRIDGE],
    )?;
    for number in 1..=nodes {
        ensure_node(number)?;
    }
    for number in 1..=nodes {
        let (range, address) = (pod_range(number), node_address(number));
        system("ip", &["route", "replace", &range, "via", &address])?;
        for other in (1..=nodes).filter(|&other| other != number) {
            let (range, address) = (pod_range(other), node_address(other));
            inside(number, &["ip", "route", "replace", &range, "via", &address])?;
        }
    }
    Ok(())
}

fn ensure_node(number: u8) -> Result<(), Error> {
    let namespace = node_namespace(number);
    let outside = format!("{BRIDGE}-{number}");
    if !namespace_file(number).exists() {
        system("ip", &["netns", "add", &namespace])?;
    }
    if !Path::new("/sys/class/net").join(&outside).exists() {
        let pair = ["type", "veth", "peer", "name", "eth0", "netns", &namespace];
        system("ip", &[&["link", "add", &outside], &pair[..]].concat())?;
    }
    system("ip", &["link", "set", &outside, "master", BRIDGE, "up"])?;
    let address = format!("{}/24", node_address(number));
    inside(number, &["ip", "link", "set", "lo", "up"])?;
    inside(number, &["ip", "address", "replace", &address, "dev", "eth0"])?;
    inside(number, &["ip", "link", "set", "eth0", "up"])?;
    // Services have no device: kube-proxy turns the packets round, but only once they have a route.
    inside(number, &["ip", "route", "replace", "10.96.0.0/16", "via", HOST])?;
    inside(number, &["ip", "route", "replace", "unreachable", "default"])?;
    let settings = [
        "net.ipv4.ip_forward=1",
        "net.bridge.bridge-nf-call-iptables=1",
        "net.ipv4.conf.all.route_localnet=1",
    ];
    inside(
        number,
        &[&["sysctl", "--quiet", "--write"], &settings[..]].concat(),
    )
}

/// Runs a command in a node's network namespace. `ip netns exec` would hide the machine's cgroups.
fn inside(number: u8, command: &[&str]) -> Result<(), Error> {
    let enter = format!("--net={}", namespace_file(number).display());
    system("nsenter", &[&[&*enter], command].concat())
}

/// Removes the namespaces, the devices and the bridge; the routes go with them.
pub fn remove() {
    for name in names_below("/run/netns", NODE_PREFIX) {
        succeeds("ip", &["netns", "delete", &name]);
    }
    for name in names_below("/sys/class/net", &format!("{BRIDGE}-")) {
        succeeds("ip", &["link", "delete", &name]);
    }
    succeeds("ip", &["link", "delete", BRIDGE]);
}

/// Names in a folder that begin with `prefix`.
pub fn names_below(folder: &str, prefix: &str) -> Vec<String> {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect()
}
