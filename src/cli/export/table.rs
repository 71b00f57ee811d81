//! A table: columns of one kind each.

/// A table.
pub struct Table {
    /// Its columns, each with a value for every row.
    pub columns: Vec<Column>,
    /// How many rows it has.
    pub rows: usize,
}

/// A column.
pub struct Column {
    /// What it is called.
    pub name: String,
    /// What stands in it.
    pub values: Values,
}

/// The values of a column.
pub enum Values {
    /// Text.
    Text(Vec<String>),
    /// Whole numbers.
    Whole(Vec<u64>),
    /// Numbers, where there are any; a percentile that lies among what never came is infinite.
    Number(Vec<Option<f64>>),
}

impl Table {
    /// As CSV: a header, and a line for each row.
    pub fn csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| &column.name)).expect("memory can be written");
        for row in 0..self.rows {
            let fields = self.columns.iter().map(|column| match &column.values {
                Values::Text(values) => values[row].clone(),
                Values::Whole(values) => values[row].to_string(),
                Values::Number(values) => values[row].map_or(String::new(), |value| format!("{value:?}")),
            });
            writer.write_record(fields).expect("every row has the header's fields");
        }
        writer.into_inner().expect("memory can be written")
    }
}
