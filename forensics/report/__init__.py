"""The report of a case, in the form that the file's suffix names.

writing      one form or all of them, by the suffix of the file
results      what a report needs of a case
gathering    what it says, gathered once and masked once (`document`)
sections     one section a file: what it shows in HTML and in Markdown
html, markdown, workbook, bundle    the forms
"""
