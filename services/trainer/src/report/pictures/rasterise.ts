import { fileURLToPath } from 'node:url';

/** Pixels for each unit of the SVG: sharp on today's screens. */
const ZOOM = 2;
const FONT_FAMILY = 'Source Sans 3';

/**
 * An SVG as a PNG on white. Its text is set in a font that comes with us, so it looks the same on every machine, also on
 * one without fonts. Loads the rasteriser at the first picture.
 */
export async function rasterise(svg: string): Promise<Uint8Array> {
  const { renderAsync } = await import('@resvg/resvg-js');
  const image = await renderAsync(svg, {
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: ZOOM },
    font: {
      loadSystemFonts: false,
      fontFiles: [fontFile()],
      defaultFontFamily: FONT_FAMILY,
      sansSerifFamily: FONT_FAMILY,
    },
  });
  return image.asPng();
}

function fontFile(): string {
  return fileURLToPath(import.meta.resolve('@expo-google-fonts/source-sans-3/400Regular/SourceSans3_400Regular.ttf'));
}
