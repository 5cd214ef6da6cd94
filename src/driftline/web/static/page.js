// What every page can do with a keyboard. Without this script every page can be read and used all the same.
"use strict";
