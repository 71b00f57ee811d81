//! Formulas for messages on their way: a formula is a file, and a line of [`FORMULAS`].

mod arq;

use crate::scenario::plan::Plan;

use super::forecast::Forecast;
use super::scene::Why;

/// What a formula says of the messages of a flow; nothing if it has nothing to do with them.
type Formula = fn(&Plan, usize) -> Option<Result<Vec<Forecast>, Why>>;

/// All formulas.
static FORMULAS: [Formula; 1] = [arq::forecasts];

/// What formulas say of each flow, under its name.
pub(super) fn forecasts(plan: &Plan) -> Vec<(String, Result<Vec<Forecast>, Why>)> {
    let flows = 0..plan.flows.len();
    let said =
        |flow: usize| FORMULAS.iter().filter_map(move |formula| formula(plan, flow)).map(move |said| (flow, said));
    let named = |(flow, said): (usize, _)| {
        let spec = &plan.flows[flow];
        (if spec.is_client { spec.offerer() } else { format!("{}->{}", spec.caller, spec.callee) }, said)
    };
    flows.flat_map(said).map(named).collect()
}
