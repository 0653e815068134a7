import"/assets/chunk-E5LA5EZ4.js";
