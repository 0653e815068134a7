import"/assets/chunk-QDC4RL2B.js";
