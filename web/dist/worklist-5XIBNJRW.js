import"/assets/chunk-F7NPIRDM.js";import"/assets/chunk-PESUIPYM.js";
