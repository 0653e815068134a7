<<<<<<<< HEAD:web/dist/chunk-VIGOSSUR.js
import{fa as l,ga as f}from"/assets/chunk-AA3YPAUI.js";function a(r,n,i,e=0){let t=e;for(let o of r.toArray())if(o instanceof f)i(o,t),t+=o.length;else if(o instanceof l){let m=n.nodeAt(t-e);if(!m)return;m.isLeaf||a(o,m,i,t+1),t+=m.nodeSize}}function c(r,n,i){for(let e=r._start;e;e=e.right)e.deleted||!e.countable||(i(e,n),n+=e.length)}export{a,c as b};
========
import{fa as l,ga as f}from"/assets/chunk-E2ZCE5CT.js";function a(r,n,i,e=0){let t=e;for(let o of r.toArray())if(o instanceof f)i(o,t),t+=o.length;else if(o instanceof l){let m=n.nodeAt(t-e);if(!m)return;m.isLeaf||a(o,m,i,t+1),t+=m.nodeSize}}function c(r,n,i){for(let e=r._start;e;e=e.right)e.deleted||!e.countable||(i(e,n),n+=e.length)}export{a,c as b};
>>>>>>>> 81de38d (web: look for the caret before what others write is drawn; say when nothing fits):web/dist/chunk-LMEOR7F4.js
