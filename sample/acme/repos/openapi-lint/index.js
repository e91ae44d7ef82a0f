// The rules: every path has a summary, every reply a description.
module.exports = { rules: ["summary", "description"] };
