//! A list of shapes on a sheet, and its two renderings.
//!
//! Coordinates are whole half-pixels of the page: a plot 960 wide has 1920 of them, SVG shows two in one unit, PNG has them
//! as its pixels. Nothing is ever placed by a float, so that the bytes are the same on every machine.

use plotters::backend::{BitMapBackend, DrawingBackend, RGBPixel, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::colour::{Colour, WHITE};
use super::font;

/// What a text's place is the place of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text's size and colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Type {
    pub size: i32,
    pub colour: Colour,
}

#[derive(Clone, Debug)]
enum Shape {
    Line { points: Vec<(i32, i32)>, colour: Colour, width: u32 },
    Block { from: (i32, i32), to: (i32, i32), colour: Colour },
    Area { points: Vec<(i32, i32)>, colour: Colour },
    Text { at: (i32, i32), text: String, kind: Type, anchor: Anchor },
}

/// A sheet.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    size: (i32, i32),
    /// How much lower than it says everything is drawn.
    lowered: i32,
    shapes: Vec<Shape>,
}

impl Canvas {
    /// A white sheet; both sides are even.
    pub fn new(width: i32, height: i32) -> Self {
        let mut canvas = Self { size: (width, height), lowered: 0, shapes: Vec::new() };
        canvas.block((0, 0), (width, height), WHITE);
        canvas
    }

    pub fn width(&self) -> i32 {
        self.size.0
    }

    /// Whatever is drawn from now on stands so much lower than its place says; an even number.
    pub fn lower(&mut self, by: i32) {
        self.lowered += by;
    }

    /// A line through points; one point alone is nothing.
    pub fn line(&mut self, mut points: Vec<(i32, i32)>, colour: Colour, width: u32) {
        points.dedup();
        points.iter_mut().for_each(|point| *point = self.place(*point));
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, colour, width });
        }
    }

    pub fn block(&mut self, from: (i32, i32), to: (i32, i32), colour: Colour) {
        let (from, to) = (self.place(from), self.place(to));
        self.shapes.push(Shape::Block { from, to, colour });
    }

    /// What lies within a line that comes back to where it begins; fewer than three points are nothing.
    pub fn area(&mut self, mut points: Vec<(i32, i32)>, colour: Colour) {
        points.iter_mut().for_each(|point| *point = self.place(*point));
        if points.len() > 2 {
            self.shapes.push(Shape::Area { points, colour });
        }
    }

    /// A text, in the middle of its height at `at`.
    pub fn text(&mut self, at: (i32, i32), text: &str, kind: Type, anchor: Anchor) {
        let at = self.place(at);
        self.shapes.push(Shape::Text { at, text: text.into(), kind, anchor });
    }

    fn place(&self, (x, y): (i32, i32)) -> (i32, i32) {
        (x, y + self.lowered)
    }

    pub fn svg(&self) -> Vec<u8> {
        let (width, height) = (self.size.0 as u32, self.size.1 as u32);
        let mut text = String::new();
        let mut backend = SVGBackend::with_string(&mut text, (width, height));
        for shape in &self.shapes {
            match shape {
                Shape::Text { at, text, kind, anchor } => {
                    let horizontal = match anchor {
                        Anchor::Start => HPos::Left,
                        Anchor::Middle => HPos::Center,
                        Anchor::End => HPos::Right,
                    };
                    // The backend divides sizes by 1.24.
                    let font = ("sans-serif", f64::from(kind.size) * 1.24).into_font();
                    let colour = rgb(kind.colour);
                    let style = TextStyle::from(font).pos(Pos::new(horizontal, VPos::Center)).color(&colour);
                    backend.draw_text(text, &style, *at).expect("text is written to memory");
                }
                shape => draw(&mut backend, shape),
            }
        }
        backend.present().expect("text is written to memory");
        drop(backend);
        // Half-pixels: shown at half the size.
        let whole = format!("width=\"{width}\" height=\"{height}\"");
        text.replacen(&whole, &format!("width=\"{}\" height=\"{}\"", width / 2, height / 2), 1).into_bytes()
    }

    pub fn png(&self) -> Vec<u8> {
        let (width, height) = (self.size.0 as u32, self.size.1 as u32);
        let mut pixels = vec![255; width as usize * height as usize * 3];
        {
            let mut backend = BitMapBackend::<RGBPixel>::with_buffer_and_format(&mut pixels, (width, height))
                .expect("the buffer has three bytes per pixel");
            self.shapes.iter().for_each(|shape| draw(&mut backend, shape));
            backend.present().expect("pixels are written to memory");
        }
        for shape in &self.shapes {
            if let Shape::Text { at, text, kind, anchor } = shape {
                let length = font::length(text, kind.size);
                let x = match anchor {
                    Anchor::Start => at.0,
                    Anchor::Middle => at.0 - length / 2,
                    Anchor::End => at.0 - length,
                };
                font::draw(text, kind.size, (x, at.1), |x, y, cover| {
                    blend(&mut pixels, (width, height), (x, y), kind.colour, cover);
                });
            }
        }
        encode(&pixels, width, height)
    }
}

fn rgb((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

fn draw(backend: &mut impl DrawingBackend, shape: &Shape) {
    let drawn = match shape {
        Shape::Line { points, colour, width } => {
            let style = ShapeStyle { color: rgb(*colour).to_rgba(), filled: false, stroke_width: *width };
            backend.draw_path(points.iter().copied(), &style)
        }
        Shape::Block { from, to, colour } => backend.draw_rect(*from, *to, &rgb(*colour), true),
        Shape::Area { points, colour } => backend.fill_polygon(points.iter().copied(), &rgb(*colour)),
        Shape::Text { .. } => Ok(()),
    };
    assert!(drawn.is_ok(), "shapes are drawn into memory");
}

/// Lays a colour over a pixel; `cover` is the share of the pixel that it covers.
fn blend(pixels: &mut [u8], (width, height): (u32, u32), (x, y): (i32, i32), colour: Colour, cover: f32) {
    let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
    if x >= width || y >= height {
        return;
    }
    let start = (y as usize * width as usize + x as usize) * 3;
    let cover = (cover.clamp(0.0, 1.0) * 255.0) as u32;
    for (byte, part) in pixels[start..start + 3].iter_mut().zip([colour.0, colour.1, colour.2]) {
        *byte = ((u32::from(*byte) * (255 - cover) + u32::from(part) * cover + 127) / 255) as u8;
    }
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Half-pixels of a page with 72 to the inch: 144 to the inch, 5669 to the metre.
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: 5_669, yppu: 5_669, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header().expect("a header is written to memory");
    writer.write_image_data(pixels).expect("the pixels are as many as the header says");
    writer.finish().expect("an image is written to memory");
    bytes
}
