//! A picture of an SVG, twice as fine as a screen.

use super::style::FONT;
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};
use std::sync::{Arc, OnceLock};

/// Pixels to the inch, and to the metre.
const FINENESS: f32 = 200.0;
const PER_METRE: u32 = 7874;

/// Draws the SVG of a chart as PNG.
pub fn png(svg: &str) -> Vec<u8> {
    // A fill through which one sees is the same as a shape through which one sees, but needs no sheet of its own.
    let tree = tree(&svg.replace("<polygon opacity=", "<polygon fill-opacity="));
    let scale = FINENESS / 96.0;
    let size = tree.size();
    let [width, height] = [size.width(), size.height()].map(|length| (length * scale).round() as u32);
    let mut picture = Pixmap::new(width, height).expect("a figure has a size");
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    encoded(&picture).expect("memory takes up all that is written")
}

/// The picture as PNG without transparency, since all of it is painted on white; quickly rather than as small as can be.
fn encoded(picture: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: PER_METRE, yppu: PER_METRE, unit: png::Unit::Meter }));
    let colors: Vec<u8> =
        picture.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    encoder.write_header()?.write_image_data(&colors)?;
    Ok(file)
}

/// What a chart's SVG shows.
pub(super) fn tree(svg: &str) -> Tree {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_font_data(FONT.to_vec());
        Arc::new(fonts)
    });
    let options = Options { fontdb: Arc::clone(fonts), ..Options::default() };
    Tree::from_str(svg, &options).expect("what is drawn is SVG")
}
