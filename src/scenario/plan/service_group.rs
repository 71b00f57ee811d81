//! What a plan says of its system, for whoever reasons about it without playing it.

use crate::base::names::Names;
use crate::model::{Call, ClientSpec, Program, RouteSpec, ServiceSpec};
use crate::network::{Link, Network};

use super::{Plan, Role};

/// A group of services that handle requests.
#[derive(Clone, Copy, Debug)]
pub struct ServiceGroup<'a> {
    /// What it is called.
    pub name: &'a str,
    /// How many nodes it has.
    pub nodes: u32,
    /// What they are like.
    pub spec: &'a ServiceSpec,
    /// Its place among those that can be called.
    pub target: u16,
}

impl Plan {
    /// The groups of services that handle requests, in the order of a run's stations.
    pub fn services(&self) -> impl Iterator<Item = ServiceGroup<'_>> {
        // Services are planned before all others, and each of them can be called.
        self.groups.iter().zip(0..).filter_map(|(group, target)| match &group.role {
            Role::Service(spec, _) => Some(ServiceGroup { name: &group.name, nodes: group.nodes, spec, target }),
            Role::Client(_) | Role::Router | Role::Broker(..) | Role::LogBroker(..) | Role::LogController(_) => None,
        })
    }

    /// The group of clients of this name.
    pub fn client(&self, name: &str) -> Option<&ClientSpec> {
        self.groups.iter().find_map(|group| match &group.role {
            Role::Client(spec) if group.name == name => Some(spec.as_ref()),
            _ => None,
        })
    }

    /// Every kind of message, by its index.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// What is done for a request, by its index.
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    /// What senders keep for a kind of message.
    pub fn route(&self, call: &Call) -> Option<&RouteSpec> {
        self.routes.get(usize::from(call.route))
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The links that carry what one group sends to another.
    pub fn links(&self, from: &str, to: &str) -> Vec<&Link> {
        let names = self.names();
        let members = |name: &str| names.group(name).into_iter().flat_map(|group| names.members(group));
        self.network.between(members(from), members(to)).collect()
    }

    fn names(&self) -> Names {
        let mut names = Names::default();
        for group in &self.groups {
            names.add(&group.name, group.nodes).expect("a plan's names are checked");
        }
        names
    }
}
