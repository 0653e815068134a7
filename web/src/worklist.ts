// The worklist filters as one types.

import './htmx.ts'
