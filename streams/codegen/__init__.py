"""From `.avsc` files to Python modules: rules, generator, and the check that both agree."""
