// A page that asks for what it shows again, now and then.

import './htmx.ts'
