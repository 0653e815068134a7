function i(e,n){e.descendants((t,o)=>t.isTextblock?(n(t,o+1,()=>r(t)),!1):!0)}function r(e){return e.textBetween(0,e.content.size,void 0,"￼")}export{i as a,r as b};
