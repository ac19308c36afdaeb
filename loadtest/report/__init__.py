"""The results of a load test, told to a person: a page, a picture and a table.

    page.write(results, path)       one HTML file that needs nothing else
    picture.write(results, path)    one SVG file, for a document
    table.markdown(results)         the tables of docs/performance.md, as text

Every sentence is computed from the results, and says so when they lack what it needs."""
