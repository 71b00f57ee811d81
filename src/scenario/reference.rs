//! The language described to people and editors, made from the comments of [`schema`](super::schema).

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::schema::Scenario;

/// x
#[derive(Clone, Debug)]
pub struct Reference(Value);
impl Reference {
    /// x
    pub fn new() -> Self { 
        let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Scenario>();
        Self(schema.to_value())
    }
    /// x
    pub fn homes(&self, _key: &str) -> Vec<String> { vec![] }
    /// x
    pub fn json_schema(&self) -> String { serde_json::to_string_pretty(&self.0).unwrap() }
}
#[test]
fn probe() { std::fs::write("/tmp/schema.json", Reference::new().json_schema()).unwrap(); }
