//! From what `schemars` makes of the types to a JSON Schema of what may be written.

use serde_json::{Map, Value, json};

use super::early::EARLY;
use crate::scenario::document::{BARE, BARE_LIST, BARE_TABLE, REST};

/// Takes out of a schema what a scenario cannot say, and puts in what the reader accepts: no value is null, bare values and
/// lists stand for their variants, and so do the names of variants whose fields all have defaults.
pub(super) fn normalise(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(object) => {
            drop_null(object);
            if let Some(bare) = object.get("default").and_then(|default| default.get(BARE)).cloned() {
                object.insert("default".into(), bare);
            }
            if let Some(Value::Array(choices)) = object.remove("oneOf") {
                object.insert("anyOf".into(), choices.into_iter().flat_map(choice).collect());
            }
            object.values_mut().for_each(normalise);
        }
        _ => {}
    }
}

fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(words)) = object.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type") != Some(&json!("null")));
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// What may be written for one variant.
fn choice(variant: Value) -> Vec<Value> {
    let doc = variant.get("description").cloned();
    let tag = variant.get("properties").and_then(Value::as_object).and_then(|tags| tags.iter().next());
    let Some((tag, content)) = tag else { return vec![variant] };
    let with_doc = |mut schema: Value| {
        if let (Some(doc), Value::Object(schema)) = (&doc, &mut schema) {
            schema.insert("description".into(), doc.clone());
        }
        schema
    };
    if [BARE, BARE_LIST, BARE_TABLE].contains(&tag.as_str()) {
        return vec![with_doc(content.clone())];
    }
    let is_optional = content.get("properties").is_some() && content.get("required").is_none();
    let name = is_optional.then(|| with_doc(json!({ "const": tag })));
    name.into_iter().chain([variant.clone()]).collect()
}

/// The JSON Schema of a whole scenario: with the rests of tables put in their place, and the keys that are handled before a
/// scenario has types.
pub(super) fn json_schema(schema: &Value) -> String {
    let mut whole = schema.clone();
    let empty = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    put_rests(&mut whole, definitions);
    allow_parameters(&mut whole);
    let texts = |doc: &str| json!({ "description": doc, "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let early = EARLY.map(|(key, doc)| match key {
        "extends" | "remove" => (key, texts(doc)),
        _ => (key, json!({ "type": "object", "description": doc })),
    });
    let top = whole.get_mut("properties").and_then(Value::as_object_mut).expect("a scenario has keys");
    top.extend(early.into_iter().map(|(key, schema)| (key.to_owned(), schema)));
    for name in ["PolicyKeys", "Link", "Client", "MixEntry", "Service", "Op", "Balancer"] {
        let keys = whole.pointer_mut(&format!("/$defs/{name}/properties")).and_then(Value::as_object_mut);
        let keys = keys.expect("the types of named tables are defined");
        keys.insert("extends".into(), texts("Tables of the same section that this one starts from, left to right."));
        keys.insert("remove".into(), texts("Paths to delete from what this table starts from."));
    }
    serde_json::to_string_pretty(&whole).expect("a schema is valid JSON")
}

/// Replaces each rest by the keys it stands for; a table's own keys come first.
fn put_rests(schema: &mut Value, definitions: &Map<String, Value>) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| put_rests(item, definitions)),
        Value::Object(object) => {
            if let Some(Value::Array(required)) = object.get_mut("required") {
                required.retain(|key| key != REST);
            }
            while let Some(rest) =
                object.get_mut("properties").and_then(|keys| keys.as_object_mut()?.shift_remove(REST))
            {
                let target =
                    rest["$ref"].as_str().and_then(|target| target.rsplit('/').next()).expect("a rest is a type");
                let inner = definitions[target]["properties"].as_object().expect("a rest is a table").clone();
                let keys = object.get_mut("properties").and_then(Value::as_object_mut).expect("just seen");
                inner.into_iter().for_each(|(key, value)| {
                    keys.entry(key).or_insert(value);
                });
            }
            object.values_mut().for_each(|value| put_rests(value, definitions));
        }
        _ => {}
    }
}

/// Lets `"$name"` stand for any value of a key.
fn allow_parameters(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(allow_parameters),
        Value::Object(object) => {
            object.values_mut().for_each(allow_parameters);
            let Some(Value::Object(keys)) = object.get_mut("properties") else { return };
            for value in keys.values_mut() {
                let doc = value.get("description").cloned();
                *value = json!({ "anyOf": [value, { "type": "string", "pattern": "^\\$" }] });
                if let Some(doc) = doc {
                    value["description"] = doc;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::reference::Reference;

    fn each_key(schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
        match schema {
            Value::Array(items) => items.iter().for_each(|item| each_key(item, visit)),
            Value::Object(object) => object.iter().for_each(|(key, value)| {
                visit(key, value);
                each_key(value, visit);
            }),
            _ => {}
        }
    }

    #[test]
    fn the_schema_has_no_trace_of_how_it_was_made() {
        let schema: Value = serde_json::from_str(&Reference::new().json_schema()).unwrap();
        each_key(&schema, &mut |key, value| {
            assert!(![BARE, BARE_LIST, BARE_TABLE, REST].contains(&key), "{key}: {value}");
            assert!(*value != "null" && !value.is_null(), "{key} may be null");
            assert_ne!(key, "oneOf", "a bare string may fit two alternatives");
        });
    }

    #[test]
    fn a_group_takes_the_keys_of_a_step_and_of_a_policy() {
        let schema: Value = serde_json::from_str(&Reference::new().json_schema()).unwrap();
        let service = schema["$defs"]["Service"]["properties"].as_object().unwrap();
        for key in ["workers", "work", "timeout", "extends"] {
            assert!(service.contains_key(key), "{key}");
        }
        assert!(service["balance"]["description"].as_str().unwrap().starts_with("How callers choose"), "its own");
    }
}
