"""stub"""
def whatif_page(study, record): return "<html></html>"
