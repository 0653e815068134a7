import"/assets/chunk-AKGEPOLO.js";import"/assets/chunk-PESUIPYM.js";
