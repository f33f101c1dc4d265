/** A part of a picture, in whole pixels from its upper left corner; at least 1 by 1. */
export interface Rectangle {
  left: number;
  top: number;
  width: number;
  height: number;
}
